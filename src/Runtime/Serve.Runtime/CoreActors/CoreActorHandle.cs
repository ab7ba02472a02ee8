using Serve.Calls;

namespace Serve.Runtime.CoreActors;

/// <summary>A handle in the process that owns the actor. The actor counts its handles; the garbage collector says when one is gone.</summary>
internal sealed class CoreActorHandle<TActor> : ActorHandle<TActor>, IActorLink
    where TActor : class
{
    private readonly CoreActor actor;

    /// <summary>The actor has counted it already.</summary>
    public CoreActorHandle(CoreActor actor) => this.actor = actor;

    ~CoreActorHandle() => actor.OnHandleGone();

    public override string Id => actor.Id.Value;

    public override string? Name => actor.Settings.Name;

    public override Cluster Cluster => actor.Cluster;

    public override ObjectRef Created => actor.Created;

    public CoreActor Actor => actor;

    public ActorAddress Address => actor.Address;

    CoreActor? IActorLink.Here => actor;

    public override void Kill(bool noRestart = true) => actor.Kill(noRestart);

    public override Task Terminate() => actor.Terminate();

    public override ObjectRef<TResult> Submit<TResult>(MethodCall<TResult> call, ActorCallOptions? options = null)
    {
        var submitted = actor.Submit(call, options);
        GC.KeepAlive(this);
        return submitted;
    }

    public override ObjectRefStream<TItem> SubmitStream<TItem>(MethodCall<IAsyncEnumerable<TItem>> call, ActorCallOptions? options = null)
    {
        var stream = actor.SubmitStream(call, options);
        GC.KeepAlive(this);
        return stream;
    }

    public override string ToString() => actor.ToString();
}
