using Serve.Calls;
using Serve.Runtime.Clusters;
using Serve.Runtime.State;

namespace Serve.Runtime.Tests.State;

/// <summary>Cluster that lists the items of a test.</summary>
internal sealed class FakeRuntimeCluster : RuntimeCluster
{
    public List<TaskState> Tasks { get; } = [];

    public List<ActorState> Actors { get; } = [];

    public List<ObjectState> Objects { get; } = [];

    public List<WorkerState> Workers { get; } = [];

    public override bool IsDisposed => false;

    public override IReadOnlyDictionary<string, double> Resources => new Dictionary<string, double> { ["CPU"] = 4 };

    public override IReadOnlyDictionary<string, double> AvailableResources => new Dictionary<string, double> { ["CPU"] = 1.5 };

    public override IReadOnlyList<TaskState> ListTasks() => Tasks;

    public override IReadOnlyList<ActorState> ListActors() => Actors;

    public override IReadOnlyList<ObjectState> ListObjects() => Objects;

    public override IReadOnlyList<WorkerState> ListWorkers() => Workers;

    public override ClusterSummary Summary() => ClusterStateSummarizer.Summarize(this);

    public override Task WriteTimeline(Stream output, CancellationToken cancellationToken = default) =>
        TimelineTraceWriter.WriteAsync(this, limit: null, output, DateTimeOffset.UnixEpoch, cancellationToken);

    public override ValueTask DisposeAsync() => ValueTask.CompletedTask;

    public override ObjectRef<T> Put<T>(T value) => throw new NotSupportedException();

    public override ObjectRef<TResult> Submit<TResult>(RemoteFunction function, MethodCall<TResult> call, TaskOptions? options = null) => throw new NotSupportedException();

    public override ObjectRefStream<TItem> SubmitStream<TItem>(RemoteFunction function, MethodCall<IAsyncEnumerable<TItem>> call, TaskOptions? options = null) =>
        throw new NotSupportedException();

    public override void Cancel(ObjectRef reference, bool force = false, bool recursive = true) => throw new NotSupportedException();

    public override void Free(params IEnumerable<ObjectRef> references) => throw new NotSupportedException();

    public override ActorHandle<TActor> GetActor<TActor>(string name) => throw new NotSupportedException();

    public override ActorHandle<TActor> Actor<TActor>(ActorOptions? options = null, params object?[] arguments) => throw new NotSupportedException();

    public override ActorHandle<TActor> CreateActor<TActor>(MethodCall<TActor> construct, RemoteAttribute defaults, ActorOptions? options = null) =>
        throw new NotSupportedException();

    public override PlacementGroup CreatePlacementGroup(IEnumerable<Bundle> bundles, PlacementStrategy strategy = PlacementStrategy.Pack, string? name = null) =>
        throw new NotSupportedException();
}
