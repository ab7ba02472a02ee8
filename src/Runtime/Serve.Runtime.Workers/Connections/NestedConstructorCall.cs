using System.Reflection;
using Serve.Calls;

namespace Serve.Runtime.Workers.Connections;

/// <summary>Constructor call submitted by code in a worker. Its arguments are deserialized if it runs in this process, and forwarded as they are if it runs in another one.</summary>
internal sealed class NestedConstructorCall<TActor>(ConstructorInfo constructor, object?[] arguments) : MethodCall<TActor>
    where TActor : class
{
    private readonly ParameterInfo[] _parameters = constructor.GetParameters();

    public override string Method => constructor.Name;

    public override bool HasRefs => Array.Exists(arguments, static argument => argument is ObjectRefArgument);

    public override bool TryInvoke(object target, CancellationToken cancellationToken, out ValueTask<TActor> result)
    {
        var values = new object?[_parameters.Length];
        for (var i = 0; i < values.Length; i++)
            values[i] = NestedArgumentReader.ValueOf(arguments[i], _parameters[i].ParameterType);
        result = new((TActor)constructor.Invoke(BindingFlags.DoNotWrapExceptions, null, values, null));
        return true;
    }

    public override object?[] GetArguments() => arguments;

    public override void CollectRefs(ICollection<ObjectRef> references)
    {
        foreach (var argument in arguments)
        {
            if (argument is ObjectRefArgument { Reference: var reference })
                references.Add(reference);
        }
    }
}
