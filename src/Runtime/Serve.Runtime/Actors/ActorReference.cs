using Serve.Calls;

namespace Serve.Runtime;

/// <summary>Reference to one actor in this or another process. Calls throw <see cref="CallRefusedException"/> if the actor did not start them.</summary>
public abstract class ActorReference : ICallTarget
{
    /// <summary>The actor.</summary>
    public abstract ActorId Id { get; }

    /// <summary>The process that hosts the actor.</summary>
    public abstract HostProcessAddress Process { get; }

    /// <summary>The actor's instance if it is in this process; otherwise null.</summary>
    public virtual ActorInstance? LocalInstance => null;

    /// <summary>Whether an actor of this process accepts no more calls, or does not exist; false for actors of other processes, which refuse the call then.</summary>
    public virtual bool IsStopping => false;

    /// <inheritdoc/>
    public abstract ValueTask<TResult> InvokeAsync<TResult>(MethodCall<TResult> call, CallContext context, CancellationToken cancellationToken);

    /// <inheritdoc/>
    public abstract IAsyncEnumerable<TItem> StreamAsync<TItem>(MethodCall<IAsyncEnumerable<TItem>> call, CallContext context, CancellationToken cancellationToken);
}
