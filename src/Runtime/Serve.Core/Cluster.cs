using System.ComponentModel;
using System.Diagnostics.CodeAnalysis;
using Serve.Calls;

namespace Serve;

/// <summary>
/// Tasks, objects and actors: <c>await using var ray = await Cluster.Init();</c>. The source generator adds a member for each class with
/// <see cref="RemoteAttribute"/>. Thread-safe. Disposing it ends every task, actor and worker process and frees every object.
/// </summary>
public abstract class Cluster : IAsyncDisposable
{
    private protected Cluster()
    {
    }

    /// <summary>The cluster of the running task or actor; outside of one, the one that this process has initialized last.</summary>
    /// <exception cref="InvalidOperationException">There is none.</exception>
    public static Cluster Current => CurrentResolver?.Invoke() ?? throw new InvalidOperationException("No cluster is running in this process. Call Cluster.Init() first.");

    /// <summary>Whether it was disposed, or is being.</summary>
    public abstract bool IsDisposed { get; }

    /// <summary>Refuses what cannot be done any more.</summary>
    /// <exception cref="ObjectDisposedException">It was disposed.</exception>
    internal void ThrowIfDisposed()
    {
        if (IsDisposed)
            throw CreateDisposedException();
    }

    /// <summary>What is thrown where it was disposed.</summary>
    internal static ObjectDisposedException CreateDisposedException(string message = "The cluster was disposed.") => new(nameof(Cluster), message);

    /// <summary>How <see cref="Current"/> is found; set by the runtime.</summary>
    internal static Func<Cluster?>? CurrentResolver { get; set; }

    /// <summary>
    /// Ends the actor whose code calls it, from inside, for good: it is not made again. It throws to leave the code, and so never returns. The
    /// running call and all that wait fail with <see cref="ActorDiedException"/>; the actor is disposed.
    /// </summary>
    /// <exception cref="ActorExitException">Always.</exception>
    [DoesNotReturn]
    public static void ExitActor() => throw new ActorExitException();

    /// <summary>Makes an object that tasks can share. Arrays of unmanaged elements of 100 KB and more are copied into shared memory, now if the cluster runs its tasks in worker processes or has started one, otherwise when a worker first needs them; everything else stays as it is. Either way the object is to be treated as immutable: who reads it in this process may get the very object that was put.</summary>
    /// <typeparam name="T">The object's type.</typeparam>
    /// <param name="value">The object.</param>
    /// <returns>A ref to it.</returns>
    /// <exception cref="ObjectDisposedException">The cluster was disposed.</exception>
    public abstract ObjectRef<T> Put<T>(T value);

    /// <summary>Waits for an object. A task that waits gives its CPU to others meanwhile.</summary>
    /// <typeparam name="T">The object's type.</typeparam>
    /// <param name="reference">A ref of this cluster.</param>
    /// <param name="timeout">How long at most. Default: for ever. The object is not cancelled by it.</param>
    /// <param name="cancellationToken">Gives the wait up.</param>
    /// <returns>The object.</returns>
    /// <exception cref="TimeoutException">It was not ready in time.</exception>
    /// <exception cref="UserCodeException">The task that was to make it threw.</exception>
    /// <exception cref="ObjectLostException">It is gone and cannot be made again.</exception>
    /// <exception cref="ArgumentException">The ref is of another cluster.</exception>
    public abstract ValueTask<T> Get<T>(ObjectRef<T> reference, TimeSpan? timeout = null, CancellationToken cancellationToken = default);

    /// <summary>Waits for many objects at once; one wait for all, unlike a loop that gets one after the other and starts the next call only then.</summary>
    /// <typeparam name="T">The objects' type.</typeparam>
    /// <param name="references">Refs of this cluster.</param>
    /// <param name="timeout">How long at most for all of them. Default: for ever.</param>
    /// <param name="cancellationToken">Gives the wait up.</param>
    /// <returns>The objects in the order of the refs; throws as soon as one has failed.</returns>
    /// <exception cref="TimeoutException">They were not ready in time.</exception>
    public abstract Task<T[]> Get<T>(IEnumerable<ObjectRef<T>> references, TimeSpan? timeout = null, CancellationToken cancellationToken = default);

    /// <summary>Waits until some of the objects are ready, failed ones included.</summary>
    /// <typeparam name="T">The objects' type.</typeparam>
    /// <param name="references">Refs of this cluster, each once.</param>
    /// <param name="numReturns">How many. Default 1.</param>
    /// <param name="timeout">How long at most; what is ready then is returned, be it nothing. Default: for ever.</param>
    /// <param name="cancellationToken">Gives the wait up.</param>
    /// <returns>Exactly <paramref name="numReturns"/> ready ones unless the time ran out, and the rest.</returns>
    public abstract Task<WaitResult<T>> Wait<T>(IEnumerable<ObjectRef<T>> references, int numReturns = 1, TimeSpan? timeout = null, CancellationToken cancellationToken = default);

    /// <summary>Cancels the task that makes an object. One that has not started never does; one that runs sees its cancellation token fire. Getting the object throws <see cref="OperationCanceledException"/>. Does nothing once it is ready.</summary>
    /// <param name="reference">The task's ref.</param>
    /// <param name="force">Kills the worker process that runs it, where it runs in one. Default false.</param>
    /// <param name="recursive">Cancels the tasks that it has started as well. Default true.</param>
    public abstract void Cancel(ObjectRef reference, bool force = false, bool recursive = true);

    /// <summary>Frees objects now rather than when their last ref is collected. Getting them later throws <see cref="ObjectLostException"/>.</summary>
    /// <param name="references">Refs of this cluster.</param>
    public abstract void Free(params IEnumerable<ObjectRef> references);

    /// <summary>Finds an actor by its name.</summary>
    /// <typeparam name="TActor">The actor's class.</typeparam>
    /// <param name="name">The name it was created with.</param>
    /// <returns>A handle to it.</returns>
    /// <exception cref="ActorNotFoundException">No living actor has this name, or it is of another class.</exception>
    public abstract ActorHandle<TActor> GetActor<TActor>(string name)
        where TActor : class;

    /// <summary>Creates an actor, with constructor arguments that are fitted at run time; <c>ray.Counter.Remote(…)</c> is the same, checked by the compiler.</summary>
    /// <typeparam name="TActor">The actor's class, which carries <see cref="RemoteAttribute"/>.</typeparam>
    /// <param name="options">How it is to live.</param>
    /// <param name="arguments">For its one public constructor; refs may stand for values.</param>
    /// <returns>A handle, at once; calls wait until the constructor has run.</returns>
    public abstract ActorHandle<TActor> Actor<TActor>(ActorOptions? options = null, params object?[] arguments)
        where TActor : class;

    /// <summary>Reserves resources together.</summary>
    /// <param name="bundles">What to reserve.</param>
    /// <param name="strategy">How the bundles lie on nodes. Default <see cref="PlacementStrategy.Pack"/>.</param>
    /// <param name="name">A name for lists.</param>
    /// <returns>The group, at once; its <see cref="PlacementGroup.Ready"/> completes when all is reserved.</returns>
    /// <exception cref="InsufficientResourcesException">The cluster can never have so much.</exception>
    public abstract PlacementGroup CreatePlacementGroup(IEnumerable<Bundle> bundles, PlacementStrategy strategy = PlacementStrategy.Pack, string? name = null);

    /// <summary>What there is in all, by resource name: <c>CPU</c>, <c>GPU</c>, <c>memory</c> and custom ones.</summary>
    public abstract IReadOnlyDictionary<string, double> Resources { get; }

    /// <summary>What of it is free now.</summary>
    public abstract IReadOnlyDictionary<string, double> AvailableResources { get; }

    /// <summary>Tasks that wait or run, and those that ended last.</summary>
    /// <returns>Newest last.</returns>
    public abstract IReadOnlyList<TaskState> ListTasks();

    /// <summary>Actors that live, and those that died last.</summary>
    /// <returns>Newest last.</returns>
    public abstract IReadOnlyList<ActorState> ListActors();

    /// <summary>Objects that the cluster keeps track of: those in shared memory, on disk, or lent to a worker. What only this process's code holds by reference is not among them.</summary>
    /// <returns>Newest last.</returns>
    public abstract IReadOnlyList<ObjectState> ListObjects();

    /// <summary>The worker processes.</summary>
    /// <returns>Oldest first.</returns>
    public abstract IReadOnlyList<WorkerState> ListWorkers();

    /// <summary>Counts of tasks by function and state, of actors by class and state, and of objects.</summary>
    /// <returns>The counts.</returns>
    public abstract ClusterSummary Summary();

    /// <summary>Writes what ran when as a Chrome trace, for <c>chrome://tracing</c> and Perfetto.</summary>
    /// <param name="output">Where to; left open.</param>
    /// <param name="cancellationToken">Gives the writing up.</param>
    /// <returns>Completes when it is written.</returns>
    public abstract Task WriteTimeline(Stream output, CancellationToken cancellationToken = default);

    /// <inheritdoc/>
    public abstract ValueTask DisposeAsync();

    /// <summary>Starts a task. For generated code.</summary>
    /// <typeparam name="TResult">The result's type.</typeparam>
    /// <param name="function">The function.</param>
    /// <param name="call">Its arguments.</param>
    /// <param name="options">How it is to run.</param>
    /// <returns>A ref to its result.</returns>
    [EditorBrowsable(EditorBrowsableState.Never)]
    public abstract ObjectRef<TResult> Submit<TResult>(RemoteFunction function, MethodCall<TResult> call, TaskOptions? options = null);

    /// <summary>Starts a task that streams. For generated code.</summary>
    /// <typeparam name="TItem">The items' type.</typeparam>
    /// <param name="function">The function.</param>
    /// <param name="call">Its arguments.</param>
    /// <param name="options">How it is to run.</param>
    /// <returns>Refs to its items as they come.</returns>
    [EditorBrowsable(EditorBrowsableState.Never)]
    public abstract ObjectRefStream<TItem> SubmitStream<TItem>(RemoteFunction function, MethodCall<IAsyncEnumerable<TItem>> call, TaskOptions? options = null);

    /// <summary>Creates an actor. For generated code.</summary>
    /// <typeparam name="TActor">The actor's class.</typeparam>
    /// <param name="construct">Its constructor's arguments: invoked with any target, it makes the actor.</param>
    /// <param name="defaults">What the class's attribute says.</param>
    /// <param name="options">How it is to live.</param>
    /// <returns>A handle, at once.</returns>
    [EditorBrowsable(EditorBrowsableState.Never)]
    public abstract ActorHandle<TActor> CreateActor<TActor>(MethodCall<TActor> construct, RemoteAttribute defaults, ActorOptions? options = null)
        where TActor : class;

    /// <summary>Whether what runs with this setting leaves this process. In a worker everything does: it is handed to the cluster's own process.</summary>
    internal virtual bool RunsInWorkers(Isolation isolation) => true;

    /// <summary>Waits for objects of any types.</summary>
    /// <returns>Completes when all are there; throws as soon as one has failed, or when the time is up.</returns>
    internal abstract Task WaitForAll(ObjectRef[] references, TimeSpan? timeout, CancellationToken cancellationToken);

    /// <summary>A ref to one item of a tuple. In a worker it is the result of a task, so that the owner of all objects knows it.</summary>
    internal virtual ObjectRef<TItem> CreateItemRef<TTuple, TItem>(ObjectRef<TTuple> tuple, int index)
        where TTuple : struct, System.Runtime.CompilerServices.ITuple =>
        LambdaTaskStarter.Start(
            this, TupleItemReader<TTuple, TItem>.Get, (Arg<TTuple>)tuple, (Arg<int>)index, isAsync: false,
            new() { Name = $"Item{index + 1}", NumCpus = 0, Isolation = Isolation.None }, static (get, items, i, _) => new ValueTask<TItem>(get(items, i)));

    /// <summary>Has code go on when an object is ready.</summary>
    internal abstract void AddAwaitContinuation(ObjectRef reference, Action<object?> continuation, object? state, System.Threading.Tasks.Sources.ValueTaskSourceOnCompletedFlags flags);

    /// <summary>Blocks this thread for an object.</summary>
    internal abstract T GetBlocking<T>(ObjectRef<T> reference, TimeSpan? timeout);
}
