using Serve.Calls;
using Serve.Runtime.Methods;
using Serve.Runtime.Serialization;

namespace Serve.Runtime.Sessions;

/// <summary>A call that a worker's task has made: its arguments are read when it runs in this process, and passed on as they are when it runs in another.</summary>
internal sealed class NestedCall<TResult>(ActorMethod method, object?[] arguments) : MethodCall<TResult>
{
    public override string Method => method.Name;

    public override bool HasRefs => Array.Exists(arguments, static argument => argument is RefArgument);

    public override bool TryInvoke(object target, CancellationToken cancellationToken, out ValueTask<TResult> result)
    {
        result = InvokeAsync(cancellationToken);
        return true;
    }

    public override object?[] GetArguments() => arguments;

    public override void CollectRefs(ICollection<ObjectRef> references)
    {
        foreach (var argument in arguments)
        {
            if (argument is RefArgument { Reference: var reference })
                references.Add(reference);
        }
    }

    private async ValueTask<TResult> InvokeAsync(CancellationToken cancellationToken)
    {
        var values = new object?[method.Parameters.Length];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = i >= arguments.Length ? ParameterDefault.Of(method.Parameters[i]) : arguments[i] switch
            {
                RefArgument { Reference: var reference } => reference.Box(),
                EncodedObject encoded => encoded.Load(method.Parameters[i].ParameterType),
                var plain => plain,
            };
        }

        return (TResult)(await method.InvokeAsync(null, values, cancellationToken).ConfigureAwait(false))!;
    }
}
