using Serve.Calls;

namespace Serve.Runtime.Actors;

/// <summary>A handle in the process that owns the actor. The actor counts its handles; a finalizer releases them.</summary>
internal sealed class DriverActorHandle<TActor> : ActorHandle<TActor>, IActorHandleLink
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

    ActorCallQueue? IActorHandleLink.Calls => _calls;

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

/// <summary>A handle to an actor, independent of its class: counted by the actor in the driver, and by the driver on behalf of workers.</summary>
public interface IActorHandleLink
{
    ActorHandleDescriptor Descriptor { get; }

    /// <summary>The cluster of the actor.</summary>
    Cluster Cluster { get; }

    /// <summary>The calls of the actor; null in a worker.</summary>
    ActorCallQueue? Calls { get; }
}

/// <summary>Identifies an actor to other processes that hold handles to it.</summary>
/// <param name="Number">The actor's number, unique in its cluster; also the number of the reference that becomes ready when the actor has been created.</param>
/// <param name="Name">The actor's name; null if it has none.</param>
/// <param name="IsLimited">Whether the actor may refuse calls, so that callers must wait for a confirmation.</param>
public readonly record struct ActorHandleDescriptor(long Number, string? Name, bool IsLimited);
