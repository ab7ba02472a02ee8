using Serve.Calls;

namespace Serve.Runtime;

/// <summary>Reference to an actor of this process that did not exist when it was resolved; looked up with each call.</summary>
public sealed class LateBoundActorReference(ActorId id, HostProcessAddress process, ProcessActorHost host) : ActorReference
{
    public override ActorId Id => id;

    public override HostProcessAddress Process => process;

    public override ActorInstance? LocalInstance => host.Find(id)?.LocalInstance;

    public override bool IsStopping => host.Find(id) is not { IsStopping: false };

    public override ValueTask<TResult> InvokeAsync<TResult>(MethodCall<TResult> call, CallContext context, CancellationToken cancellationToken) =>
        host.Find(id)?.InvokeAsync(call, context, cancellationToken)
        ?? ValueTask.FromException<TResult>(new CallRefusedException(id.Value, gone: true));

    public override IAsyncEnumerable<TItem> StreamAsync<TItem>(MethodCall<IAsyncEnumerable<TItem>> call, CallContext context, CancellationToken cancellationToken) =>
        host.Find(id)?.StreamAsync(call, context, cancellationToken) ?? throw new CallRefusedException(id.Value, gone: true);
}
