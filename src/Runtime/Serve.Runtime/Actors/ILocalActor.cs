using Serve.Calls;

namespace Serve.Runtime;

/// <summary>An actor of this process as the target of calls and, if its instance serves them, of HTTP requests.</summary>
public interface ILocalActor : ICallTarget
{
    /// <summary>The instance; null if the actor does not exist.</summary>
    ActorInstance? Instance { get; }

    /// <summary>Whether the actor accepts no more calls, or does not exist.</summary>
    bool IsStopping { get; }
}

/// <summary>An actor of this process that did not exist when it was resolved; looked up with each call.</summary>
internal sealed class LateBoundActor(ActorId id, ProcessActorHost host) : ILocalActor
{
    public ActorInstance? Instance => host.Find(id)?.Instance;

    public bool IsStopping => host.Find(id) is not { IsStopping: false };

    public ValueTask<TResult> InvokeAsync<TResult>(MethodCall<TResult> call, CallContext context, CancellationToken cancellationToken) =>
        host.Find(id)?.InvokeAsync(call, context, cancellationToken)
        ?? ValueTask.FromException<TResult>(new CallRefusedException(id.Value, gone: true));

    public IAsyncEnumerable<TItem> StreamAsync<TItem>(MethodCall<IAsyncEnumerable<TItem>> call, CallContext context, CancellationToken cancellationToken) =>
        host.Find(id)?.StreamAsync(call, context, cancellationToken) ?? throw new CallRefusedException(id.Value, gone: true);
}
