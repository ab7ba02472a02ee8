using Serve.Calls;

namespace Serve.Runtime.Parallel;

/// <summary>Delegate of this process as a task, used by maps; cannot be sent to another process.</summary>
internal sealed class InProcessCodeCall<TResult>(Func<CancellationToken, ValueTask<TResult>> body) : MethodCall<TResult>
{
    public override string Method => "Run";

    public override bool TryInvoke(object target, CancellationToken cancellationToken, out ValueTask<TResult> result)
    {
        result = body(cancellationToken);
        return true;
    }

    public override object?[] GetArguments() => throw new NotSerializableException("A map over a lambda runs in this process. Map a [Remote] function to run it in workers.");
}
