using Serve.Calls;

namespace Serve.Runtime.Actors;

/// <summary>A handle in the process that owns the actor. The actor counts its handles; a finalizer releases them.</summary>
internal sealed class DriverActorHandle<TActor> : ActorHandle<TActor>, IDriverActorHandle
    where TActor : class
{
    private readonly ActorCallQueue _calls;

    /// <summary>Creates a handle that the actor has already counted.</summary>
    public DriverActorHandle(ActorCallQueue calls) => _calls = calls;

    ~DriverActorHandle() => _calls.Actor.ReleaseHandle();

    public override string Id => _calls.Actor.Id.Value;

    public override string? Name => _calls.Options.Name;

    public override Cluster Cluster => _calls.Cluster;

    public override ObjectRef Created => _calls.Created;

    public ActorHandleDescriptor Descriptor => _calls.Descriptor;

    public ActorCallQueue Calls => _calls;

    public override void Kill(bool noRestart = true) => _calls.Actor.Kill(noRestart);

    public override Task Terminate() => _calls.Actor.Terminate();

    public override ObjectRef<TResult> Submit<TResult>(MethodCall<TResult> call, ActorCallOptions? options = null)
    {
        var submitted = _calls.Submit(call, options);
        GC.KeepAlive(this);
        return submitted;
    }

    public override ObjectRefStream<TItem> SubmitStream<TItem>(MethodCall<IAsyncEnumerable<TItem>> call, ActorCallOptions? options = null)
    {
        var stream = _calls.SubmitStream(call, options);
        GC.KeepAlive(this);
        return stream;
    }

    public override string ToString() => _calls.Actor.ToString();
}

/// <summary>A handle in the process that owns the actor, independent of its class.</summary>
public interface IDriverActorHandle : IActorHandleLink
{
    /// <summary>The calls of the actor.</summary>
    ActorCallQueue Calls { get; }
}
