using Serve.Calls;
using Serve.Runtime.Methods;

namespace Serve.Runtime.Workers.Connections;

/// <summary>A call that code in a worker has made, of a function or of an actor: its arguments are read when it runs in this process, and passed on as they are when it runs in another.</summary>
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
