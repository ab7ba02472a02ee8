using Serve.Calls;
using Serve.Runtime.Actors;
using Serve.Runtime.Tasks;

namespace Serve.Runtime.Workers.Connections;

/// <summary>A worker's handle to an actor that the driver owns, wherever it runs: operations are sent to the driver, in order. The driver counts the handle while the hold is reachable.</summary>
internal sealed class RemoteActorHandle<TActor>(DriverConnection session, BorrowedObjectHold hold, ActorHandleDescriptor address) : ActorHandle<TActor>, IActorHandleLink
    where TActor : class
{
    public override string Id => hold.Id.ToString();

    public override string? Name => address.Name;

    public override Cluster Cluster => session.Cluster;

    public override ObjectRef Created => new RemoteObjectRef<bool>(session, hold);

    public ActorHandleDescriptor Descriptor => address;

    public override void Kill(bool noRestart = true)
    {
        session.SendOrWait(new() { KillActor = new() { Actor = address.Number, Restart = !noRestart } });
        GC.KeepAlive(this);
    }

    public override async Task Terminate()
    {
        await session.QueryAsync(DriverQueryKinds.Terminate, DriverQueryKinds.Write(address.Number)).ConfigureAwait(false);
        GC.KeepAlive(this);
    }

    public override ObjectRef<TResult> Submit<TResult>(MethodCall<TResult> call, ActorCallOptions? options = null)
    {
        var reference = session.Cluster.NewRef<TResult>();
        session.ActorSubmitter.Send<TActor, TResult>(address, reference.Id, call, options, window: 0);
        GC.KeepAlive(this);
        return reference;
    }

    public override ObjectRefStream<TItem> SubmitStream<TItem>(MethodCall<IAsyncEnumerable<TItem>> call, ActorCallOptions? options = null)
    {
        var stream = session.Streams.Begin<TItem>(options?.MaxBufferedItems);
        session.ActorSubmitter.Send<TActor, IAsyncEnumerable<TItem>>(address, stream.Completion.Id, call, options, StreamBufferSizes.ForReaderInWorker(options?.MaxBufferedItems).Window);
        GC.KeepAlive(this);
        return stream;
    }

    public override string ToString() => Name is null ? $"{typeof(TActor).Name} ({Id})" : $"{typeof(TActor).Name} '{Name}' ({Id})";
}
