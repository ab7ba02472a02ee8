namespace Serve;

/// <summary>A running call of a deployment, with a result of any type.</summary>
public abstract class DeploymentResponse : IPendingCallResult
{
    private protected DeploymentResponse()
    {
    }

    /// <summary>Gets whether the call has completed: successfully, with an exception, or canceled.</summary>
    public abstract bool IsCompleted { get; }

    /// <summary>Cancels the call, also in another process. Awaiting it then throws <see cref="OperationCanceledException"/>. Has no effect after completion.</summary>
    public abstract void Cancel();

    /// <summary>Waits for the result, for a call that takes it as an argument.</summary>
    private protected abstract ValueTask<object?> BoxAsync(CancellationToken cancellationToken);

    ValueTask<object?> ICallArgument.ResolveBoxedAsync(CancellationToken cancellationToken) => BoxAsync(cancellationToken);
}
