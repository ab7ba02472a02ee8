using System.Text.Json;
using Serve.Calls;
using Serve.Runtime.Actors;
using Serve.Runtime.Clusters;
using Serve.Runtime.Tasks;

namespace Serve.Runtime.Workers.Connections;

/// <summary>The cluster as code in a worker uses it: operations are sent to the driver, which owns all tasks, actors and objects. Its state is the next id to assign.</summary>
internal sealed class WorkerCluster(DriverConnection session, long firstId) : RuntimeCluster
{
    private long _lastId = firstId;
    private volatile bool _ended;

    public override bool IsDisposed => _ended;

    public override IReadOnlyDictionary<string, double> Resources => Ask<Dictionary<string, double>>(nameof(Resources));

    public override IReadOnlyDictionary<string, double> AvailableResources => Ask<Dictionary<string, double>>(nameof(AvailableResources));

    public override ObjectRef<T> Put<T>(T value)
    {
        ThrowIfDisposed();
        var reference = NewRef<T>();
        session.SendOrWait(new() { Put = new() { Id = reference.Id.Number, Value = session.Write(value, typeof(T), reference.Id.Number, "the stored value"), Type = typeof(T).AssemblyQualifiedName } });
        reference.TrySetResult(value);
        return reference;
    }

    public override ObjectRef<TResult> Submit<TResult>(RemoteFunction function, MethodCall<TResult> call, TaskOptions? options = null)
    {
        ThrowIfDisposed();
        var reference = NewRef<TResult>();
        session.TaskSubmitter.Send(reference.Id, function, call.GetArguments(), options);
        return reference;
    }

    public override ObjectRefStream<TItem> SubmitStream<TItem>(RemoteFunction function, MethodCall<IAsyncEnumerable<TItem>> call, TaskOptions? options = null)
    {
        ThrowIfDisposed();
        var stream = session.Streams.Begin<TItem>(options?.MaxBufferedItems);
        try
        {
            session.TaskSubmitter.Send(stream.Completion.Id, function, call.GetArguments(), options, StreamBufferSizes.ForReaderInWorker(options?.MaxBufferedItems).Window);
            return stream;
        }
        catch
        {
            session.Streams.Forget(stream.Completion.Id);
            throw;
        }
    }

    public override void Cancel(ObjectRef reference, bool force = false, bool recursive = true) =>
        session.SendOrWait(new() { CancelTask = new() { Id = reference.Id.Number, Force = force, Recursive = recursive } });

    public override void Free(params IEnumerable<ObjectRef> references)
    {
        var free = new Wire.Free();
        free.Ids.AddRange(references.Select(reference => reference.Id.Number));
        session.SendOrWait(new() { Free = free });
    }

    public override ActorHandle<TActor> GetActor<TActor>(string name)
    {
        ThrowIfDisposed();
        return session.ActorSubmitter.Get<TActor>(name);
    }

    public override ActorHandle<TActor> Actor<TActor>(ActorOptions? options = null, params object?[] arguments) =>
        CreateActor(new UntypedConstructorCall<TActor>(arguments), new(), options);

    /// <summary>The defaults are ignored: the driver reads the attribute of the class itself.</summary>
    public override ActorHandle<TActor> CreateActor<TActor>(MethodCall<TActor> construct, RemoteAttribute defaults, ActorOptions? options = null)
    {
        ThrowIfDisposed();
        return session.ActorSubmitter.Create(construct, options);
    }

    public override PlacementGroup CreatePlacementGroup(IEnumerable<Bundle> bundles, PlacementStrategy strategy = PlacementStrategy.Pack, string? name = null)
    {
        ThrowIfDisposed();
        ArgumentNullException.ThrowIfNull(bundles);
        Bundle[] kept = [.. bundles];
        var id = session.QueryAsync(DriverQueryKinds.CreateGroup, DriverQueryKinds.Write(new DriverQueryKinds.PlacementGroupQuery(kept, strategy, name))).GetAwaiter().GetResult();
        return new RemotePlacementGroup(session, DriverQueryKinds.Read<string>(id), name, strategy, kept);
    }

    public override IReadOnlyList<TaskState> ListTasks() => Ask<List<TaskState>>(nameof(ListTasks));

    public override IReadOnlyList<ActorState> ListActors() => Ask<List<ActorState>>(nameof(ListActors));

    public override IReadOnlyList<ObjectState> ListObjects() => Ask<List<ObjectState>>(nameof(ListObjects));

    public override IReadOnlyList<WorkerState> ListWorkers() => Ask<List<WorkerState>>(nameof(ListWorkers));

    public override ClusterSummary Summary() => Ask<ClusterSummary>(nameof(Summary));

    public override async Task WriteTimeline(Stream output, CancellationToken cancellationToken = default) =>
        await output.WriteAsync(await session.QueryAsync(nameof(WriteTimeline)).WaitAsync(cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);

    /// <summary>Does nothing: a worker's cluster ends with the driver's.</summary>
    public override ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <summary>Ends the cluster after the driver has disconnected.</summary>
    public void End() => _ended = true;

    /// <summary>Creates a reference to a future object.</summary>
    public RemoteObjectRef<T> NewRef<T>() => new(session, session.Borrowed.Add(NextId()));

    /// <summary>Assigns the id of a future object.</summary>
    public ObjectId NextId() => new(Interlocked.Increment(ref _lastId) - 1);

    private T Ask<T>(string kind)
    {
        ThrowIfDisposed();
        return JsonSerializer.Deserialize<T>(session.QueryAsync(kind).GetAwaiter().GetResult(), ServeJson.Options)!;
    }
}
