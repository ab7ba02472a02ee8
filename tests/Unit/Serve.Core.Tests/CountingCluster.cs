using Serve.Calls;
using Serve.Hosting;

namespace Serve.Core.Tests;

/// <summary>A decorator as a library would write it: counts submitted tasks and forwards everything to another cluster.</summary>
/// <param name="inner">The decorated cluster, which owns all objects.</param>
internal sealed class CountingCluster(Cluster inner) : Cluster
{
    public int Submitted { get; private set; }

    public override bool IsDisposed => inner.IsDisposed;

    public override IReadOnlyDictionary<string, double> Resources => inner.Resources;

    public override IReadOnlyDictionary<string, double> AvailableResources => inner.AvailableResources;

    public override ObjectRef<T> Put<T>(T value) => inner.Put(value);

    public override ValueTask<T> Get<T>(ObjectRef<T> reference, TimeSpan? timeout = null, CancellationToken cancellationToken = default) =>
        inner.Get(reference, timeout, cancellationToken);

    public override Task<T[]> Get<T>(IEnumerable<ObjectRef<T>> references, TimeSpan? timeout = null, CancellationToken cancellationToken = default) =>
        inner.Get(references, timeout, cancellationToken);

    public override Task<WaitResult<T>> Wait<T>(IEnumerable<ObjectRef<T>> references, int numReturns = 1, TimeSpan? timeout = null, CancellationToken cancellationToken = default) =>
        inner.Wait(references, numReturns, timeout, cancellationToken);

    public override void Cancel(ObjectRef reference, bool force = false, bool recursive = true) => inner.Cancel(reference, force, recursive);

    public override void Free(params IEnumerable<ObjectRef> references) => inner.Free(references);

    public override ObjectRef<TResult> Submit<TResult>(RemoteFunction function, MethodCall<TResult> call, TaskOptions? options = null)
    {
        Submitted++;
        return inner.Submit(function, call, options);
    }

    public override ObjectRefStream<TItem> SubmitStream<TItem>(RemoteFunction function, MethodCall<IAsyncEnumerable<TItem>> call, TaskOptions? options = null)
    {
        Submitted++;
        return inner.SubmitStream(function, call, options);
    }

    public override ActorHandle<TActor> CreateActor<TActor>(MethodCall<TActor> construct, RemoteAttribute defaults, ActorOptions? options = null) =>
        inner.CreateActor(construct, defaults, options);

    public override ActorHandle<TActor> Actor<TActor>(ActorOptions? options = null, params object?[] arguments) => inner.Actor<TActor>(options, arguments);

    public override ActorHandle<TActor> GetActor<TActor>(string name) => inner.GetActor<TActor>(name);

    public override PlacementGroup CreatePlacementGroup(IEnumerable<Bundle> bundles, PlacementStrategy strategy = PlacementStrategy.Pack, string? name = null) =>
        inner.CreatePlacementGroup(bundles, strategy, name);

    public override IReadOnlyList<TaskState> ListTasks() => inner.ListTasks();

    public override IReadOnlyList<ActorState> ListActors() => inner.ListActors();

    public override IReadOnlyList<ObjectState> ListObjects() => inner.ListObjects();

    public override IReadOnlyList<WorkerState> ListWorkers() => inner.ListWorkers();

    public override ClusterSummary Summary() => inner.Summary();

    public override Task WriteTimeline(Stream output, CancellationToken cancellationToken = default) => inner.WriteTimeline(output, cancellationToken);

    public override ValueTask DisposeAsync() => inner.DisposeAsync();

    protected override bool RunsInWorkers(Isolation isolation) => inner.RunsInWorkers(isolation);

    protected override Task WaitForAll(ObjectRef[] references, TimeSpan? timeout, CancellationToken cancellationToken) =>
        inner.WaitForAll(references, timeout, cancellationToken);
}
