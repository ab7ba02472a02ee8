using Serve.Calls;
using Serve.Http;
using Serve.Routes;

namespace Serve.Runtime;

/// <summary>A reference to one actor, wherever it lives. Calls throw <see cref="CallRefusedException"/> when the actor did not start them.</summary>
public abstract class ActorReference : ICallTarget
{
    /// <summary>The actor.</summary>
    public abstract ActorId Id { get; }

    /// <summary>The process that holds it.</summary>
    public abstract HostProcessAddress Process { get; }

    /// <summary>The instance's HTTP side when it is in this process and answers HTTP; null otherwise.</summary>
    public virtual IActorHttpHandler? LocalHttp => null;

    /// <summary>Whether an actor of this process accepts no more calls, or does not exist; false for actors of other processes, which refuse the call then.</summary>
    public virtual bool IsStopping => false;

    /// <inheritdoc/>
    public abstract ValueTask<TResult> InvokeAsync<TResult>(MethodCall<TResult> call, CallContext context, CancellationToken cancellationToken);

    /// <inheritdoc/>
    public abstract IAsyncEnumerable<TItem> StreamAsync<TItem>(MethodCall<IAsyncEnumerable<TItem>> call, CallContext context, CancellationToken cancellationToken);
}
