using Serve.Calls;
using Serve.Runtime.Methods;

namespace Serve.Runtime.Workers.Connections;

/// <summary>Call of a function or an actor submitted by code in a worker. Its arguments are deserialized if it runs in this process, and forwarded as they are if it runs in another one.</summary>
internal sealed class NestedMethodCall<TResult>(ActorMethodInvoker method, object?[] arguments) : MethodCall<TResult>
{
    public override string Method => method.Name;

    public override bool HasRefs => Array.Exists(arguments, static argument => argument is ObjectRefArgument);

    public override bool TryInvoke(object target, CancellationToken cancellationToken, out ValueTask<TResult> result)
    {
        result = InvokeAsync(target, cancellationToken);
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

    private async ValueTask<TResult> InvokeAsync(object target, CancellationToken cancellationToken)
    {
        var values = new object?[method.Parameters.Length];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = i >= arguments.Length ? ParameterDefaultValue.GetValue(method.Parameters[i]) : NestedArgumentReader.ValueOf(arguments[i], method.Parameters[i].ParameterType);
        }

        return (TResult)(await method.InvokeAsync(target, values, cancellationToken).ConfigureAwait(false))!;
    }
}
