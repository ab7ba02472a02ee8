using Serve.Calls;

namespace Serve.Runtime.CoreActors;

/// <summary>A handle in the process that owns the actor. The actor counts its handles; the garbage collector says when one is gone.</summary>
internal sealed class DriverActorHandle<TActor> : ActorHandle<TActor>, IDriverActorHandle
    where TActor : class
{
    private readonly ActorRecord _actor;

    /// <summary>The actor has counted it already.</summary>
    public DriverActorHandle(ActorRecord actor) => this._actor = actor;

    ~DriverActorHandle() => _actor.ReleaseHandle();

    public override string Id => _actor.Id.Value;

    public override string? Name => _actor.Settings.Name;

    public override Cluster Cluster => _actor.Cluster;

    public override ObjectRef Created => _actor.Created;

    public ActorRecord Actor => _actor;

    public ActorHandleDescriptor Address => _actor.Address;

    ActorRecord IDriverActorHandle.Record => _actor;

    public override void Kill(bool noRestart = true) => _actor.Kill(noRestart);

    public override Task Terminate() => _actor.Terminate();

    public override ObjectRef<TResult> Submit<TResult>(MethodCall<TResult> call, ActorCallOptions? options = null)
    {
        var submitted = _actor.Submit(call, options);
        GC.KeepAlive(this);
        return submitted;
    }

    public override ObjectRefStream<TItem> SubmitStream<TItem>(MethodCall<IAsyncEnumerable<TItem>> call, ActorCallOptions? options = null)
    {
        var stream = _actor.SubmitStream(call, options);
        GC.KeepAlive(this);
        return stream;
    }

    public override string ToString() => _actor.ToString();
}

/// <summary>Handle in the driver, which knows the actor's record.</summary>
internal interface IDriverActorHandle : IActorHandleLink
{
    ActorRecord Record { get; }
}
