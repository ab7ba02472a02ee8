namespace Serve;

/// <summary>A running call of a deployment, whatever its result's type is.</summary>
public abstract class DeploymentResponse : IPendingCallResult
{
    private protected DeploymentResponse()
    {
    }

    /// <summary>Whether the call has ended: with a result, an exception, or cancelled.</summary>
    public abstract bool IsCompleted { get; }

    /// <summary>Cancels the call, wherever it runs. Awaiting it then throws <see cref="OperationCanceledException"/>. Does nothing once it has ended.</summary>
    public abstract void Cancel();

    /// <summary>The result as an object, for a call that takes it as an argument.</summary>
    private protected abstract ValueTask<object?> BoxAsync(CancellationToken cancellationToken);

    ValueTask<object?> ICallArgument.ResolveBoxedAsync(CancellationToken cancellationToken) => BoxAsync(cancellationToken);
}
