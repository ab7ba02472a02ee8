using Serve.Calls;
using Serve.Hosting;

namespace Serve.Core.Tests;

/// <summary>A fake cluster as a library's tests would write it: tasks and actor calls run on the calling thread.</summary>
internal sealed class InlineCluster : Cluster
{
    private readonly Dictionary<string, object> _actors = [];

    public override bool IsDisposed => false;

    public override IReadOnlyDictionary<string, double> Resources { get; } = new Dictionary<string, double> { ["CPU"] = 1 };

    public override IReadOnlyDictionary<string, double> AvailableResources => Resources;

    public override ObjectRef<T> Put<T>(T value)
    {
        var reference = new ObjectRef<T>(this, default);
        reference.TrySetResult(value);
        return reference;
    }

    public override ValueTask<T> Get<T>(ObjectRef<T> reference, TimeSpan? timeout = null, CancellationToken cancellationToken = default) =>
        timeout is null && !cancellationToken.CanBeCanceled ? new(reference, 0) : new(reference.AsTask().WaitAsync(timeout ?? Timeout.InfiniteTimeSpan, cancellationToken));

    public override Task<T[]> Get<T>(IEnumerable<ObjectRef<T>> references, TimeSpan? timeout = null, CancellationToken cancellationToken = default) =>
        Task.WhenAll(references.Select(reference => Get(reference, timeout, cancellationToken).AsTask()));

    public override Task<WaitResult<T>> Wait<T>(IEnumerable<ObjectRef<T>> references, int numReturns = 1, TimeSpan? timeout = null, CancellationToken cancellationToken = default)
    {
        var all = references.ToList();
        return Task.FromResult(new WaitResult<T>(all.FindAll(reference => reference.IsReady), all.FindAll(reference => !reference.IsReady)));
    }

    public override void Cancel(ObjectRef reference, bool force = false, bool recursive = true) => reference.TrySetException(new OperationCanceledException());

    public override void Free(params IEnumerable<ObjectRef> references)
    {
        foreach (var reference in references)
            reference.Free();
    }

    public override ObjectRef<TResult> Submit<TResult>(RemoteFunction function, MethodCall<TResult> call, TaskOptions? options = null) => Run(call, this);

    public override ObjectRefStream<TItem> SubmitStream<TItem>(RemoteFunction function, MethodCall<IAsyncEnumerable<TItem>> call, TaskOptions? options = null) =>
        new InlineStream<TItem>(this, Run(call, this));

    public override ActorHandle<TActor> CreateActor<TActor>(MethodCall<TActor> construct, RemoteAttribute defaults, ActorOptions? options = null)
    {
        var actor = new InlineActor<TActor>(this, Run(construct, this), options?.Name);
        if (options?.Name is { } name)
            _actors.Add(name, actor);
        return actor;
    }

    public override ActorHandle<TActor> Actor<TActor>(ActorOptions? options = null, params object?[] arguments) => throw new NotSupportedException();

    public override ActorHandle<TActor> GetActor<TActor>(string name) =>
        _actors.GetValueOrDefault(name) as ActorHandle<TActor> ?? throw new ActorNotFoundException($"There is no actor '{name}'.");

    public override PlacementGroup CreatePlacementGroup(IEnumerable<Bundle> bundles, PlacementStrategy strategy = PlacementStrategy.Pack, string? name = null) => throw new NotSupportedException();

    public override IReadOnlyList<TaskState> ListTasks() => [];

    public override IReadOnlyList<ActorState> ListActors() => [];

    public override IReadOnlyList<ObjectState> ListObjects() => [];

    public override IReadOnlyList<WorkerState> ListWorkers() => [];

    public override ClusterSummary Summary() => throw new NotSupportedException();

    public override Task WriteTimeline(Stream output, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public override ValueTask DisposeAsync() => ValueTask.CompletedTask;

    protected override bool RunsInWorkers(Isolation isolation) => false;

    private ObjectRef<TResult> Run<TResult>(MethodCall<TResult> call, object target)
    {
        var reference = new ObjectRef<TResult>(this, default);
        _ = CompleteAsync();
        return reference;

        async Task CompleteAsync()
        {
            try
            {
                if (!call.TryInvoke(target, CancellationToken.None, out var result))
                    throw new MissingMethodException(target.GetType().Name, call.Method);
                reference.TrySetResult(await result);
            }
            catch (Exception thrown)
            {
                reference.TrySetException(new UserCodeException(thrown));
            }
        }
    }

    private sealed class InlineActor<TActor>(InlineCluster cluster, ObjectRef<TActor> created, string? name) : ActorHandle<TActor>
        where TActor : class
    {
        public override string Id => "actor";

        public override string? Name => name;

        public override Cluster Cluster => cluster;

        public override ObjectRef Created => created;

        public override void Kill(bool noRestart = true)
        {
        }

        public override Task Terminate() => Task.CompletedTask;

        public override ObjectRef<TResult> Submit<TResult>(MethodCall<TResult> call, ActorCallOptions? options = null) => cluster.Run(call, created.Result);

        public override ObjectRefStream<TItem> SubmitStream<TItem>(MethodCall<IAsyncEnumerable<TItem>> call, ActorCallOptions? options = null) =>
            new InlineStream<TItem>(cluster, cluster.Run(call, created.Result));
    }

    private sealed class InlineStream<TItem>(Cluster cluster, ObjectRef<IAsyncEnumerable<TItem>> source) : ObjectRefStream<TItem>
    {
        public override ObjectRef Completion => source;

        public override async IAsyncEnumerator<ObjectRef<TItem>> GetAsyncEnumerator(CancellationToken cancellationToken = default)
        {
            await foreach (var item in (await source).WithCancellation(cancellationToken))
                yield return cluster.Put(item);
        }
    }
}
