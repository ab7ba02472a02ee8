using System.ComponentModel;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Threading.Tasks.Sources;
using Serve.Calls;
using Serve.Hosting;

namespace Serve;

/// <summary>
/// A Ray-style cluster: runs tasks and actors and stores objects. Created by <c>Cluster.Init()</c>; the source generator adds a typed
/// caller for each class with <see cref="RemoteAttribute"/>. All members are thread-safe. Disposing the cluster cancels its tasks, stops its actors and
/// worker processes, and frees its objects.
/// </summary>
/// <remarks>Libraries can derive from this class to decorate a cluster or to replace it in tests. The members of the runtime have default implementations.</remarks>
public abstract class Cluster : IAsyncDisposable
{
    /// <summary>Gets the cluster of the running task or actor or, outside of both, the cluster that this process initialized last.</summary>
    /// <exception cref="InvalidOperationException">No cluster is running in this process.</exception>
    public static Cluster Current => CurrentResolver?.Invoke() ?? throw new InvalidOperationException("No cluster is running in this process. Call Cluster.Init() first.");

    /// <summary>Gets whether the cluster has been disposed, or is being disposed.</summary>
    public abstract bool IsDisposed { get; }

    /// <summary>Gets or sets how <see cref="Current"/> is found; set by the runtime.</summary>
    protected internal static Func<Cluster?>? CurrentResolver { get; set; }

    /// <summary>
    /// Terminates the calling actor permanently; it is not restarted. Throws to unwind the caller, so it never returns. The running call and
    /// all pending calls fail with <see cref="ActorDiedException"/>, and the actor is disposed.
    /// </summary>
    /// <exception cref="ActorExitException">Always.</exception>
    [DoesNotReturn]
    public static void ExitActor() => throw new ActorExitException();

    /// <summary>
    /// Stores a value in the object store and returns a reference to it. Treat the value as immutable afterwards: readers in this process may receive
    /// the same instance.
    /// </summary>
    /// <remarks>
    /// Arrays of unmanaged elements of at least 100 KB are copied to shared memory: immediately if the cluster uses worker processes, otherwise when
    /// a worker first needs them. Other values stay in the memory of this process until a worker needs them.
    /// </remarks>
    /// <typeparam name="T">The object's type.</typeparam>
    /// <param name="value">The object.</param>
    /// <returns>A reference to the object.</returns>
    /// <exception cref="ObjectDisposedException">The cluster has been disposed.</exception>
    public abstract ObjectRef<T> Put<T>(T value);

    /// <summary>Waits for an object and returns it. While a task waits, its CPU is available to other tasks.</summary>
    /// <typeparam name="T">The object's type.</typeparam>
    /// <param name="reference">A reference of this cluster.</param>
    /// <param name="timeout">Maximum wait; null waits indefinitely. The producing task is not canceled when the timeout expires.</param>
    /// <param name="cancellationToken">Cancels the wait, but not the producing task.</param>
    /// <returns>The object.</returns>
    /// <exception cref="GetTimeoutException">The object was not ready within <paramref name="timeout"/>.</exception>
    /// <exception cref="UserCodeException">The task threw an exception that cannot be sent from its worker process. Any other exception of the task's code is thrown as it is.</exception>
    /// <exception cref="ObjectLostException">The object was lost and cannot be recomputed.</exception>
    /// <exception cref="ArgumentException">The reference belongs to another cluster.</exception>
    public abstract ValueTask<T> Get<T>(ObjectRef<T> reference, TimeSpan? timeout = null, CancellationToken cancellationToken = default);

    /// <summary>Waits for several objects with a single wait, unlike a loop that gets one object after the other.</summary>
    /// <typeparam name="T">The objects' type.</typeparam>
    /// <param name="references">References of this cluster.</param>
    /// <param name="timeout">Maximum wait for all objects; null waits indefinitely.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <returns>The objects, in the order of the references. Throws as soon as one of them has failed.</returns>
    /// <exception cref="GetTimeoutException">The objects were not ready within <paramref name="timeout"/>.</exception>
    public abstract Task<T[]> Get<T>(IEnumerable<ObjectRef<T>> references, TimeSpan? timeout = null, CancellationToken cancellationToken = default);

    /// <summary>Waits until <paramref name="numReturns"/> objects are ready; failed objects count as ready.</summary>
    /// <typeparam name="T">The objects' type.</typeparam>
    /// <param name="references">References of this cluster, without duplicates.</param>
    /// <param name="numReturns">Number of objects to wait for. Default 1.</param>
    /// <param name="timeout">Maximum wait; null waits indefinitely.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <returns>The ready references (fewer than <paramref name="numReturns"/> only after a timeout) and the remaining ones.</returns>
    public abstract Task<WaitResult<T>> Wait<T>(IEnumerable<ObjectRef<T>> references, int numReturns = 1, TimeSpan? timeout = null, CancellationToken cancellationToken = default);

    /// <summary>
    /// Cancels the task that produces an object: a pending task never starts, a running one has its cancellation token canceled. Getting the object then throws
    /// <see cref="OperationCanceledException"/>. Has no effect if the object is ready.
    /// </summary>
    /// <param name="reference">The task's reference.</param>
    /// <param name="force">Kills the worker process that runs the task, if it runs in one. Default false.</param>
    /// <param name="recursive">Also cancels the tasks that the task has started. Default true.</param>
    public abstract void Cancel(ObjectRef reference, bool force = false, bool recursive = true);

    /// <summary>Frees objects immediately instead of when their last reference is collected. Getting them then throws <see cref="ObjectLostException"/>.</summary>
    /// <param name="references">References of this cluster.</param>
    public abstract void Free(params IEnumerable<ObjectRef> references);

    /// <summary>Finds an actor by name.</summary>
    /// <typeparam name="TActor">The actor's class.</typeparam>
    /// <param name="name">The actor's name.</param>
    /// <returns>A handle to the actor.</returns>
    /// <exception cref="ActorNotFoundException">No live actor has this name, or it is of another class.</exception>
    public abstract ActorHandle<TActor> GetActor<TActor>(string name)
        where TActor : class;

    /// <summary>Creates an actor with constructor arguments that are bound at run time. <c>ray.Counter.Remote(…)</c> is the same, checked by the compiler.</summary>
    /// <typeparam name="TActor">The actor's class, which has <see cref="RemoteAttribute"/>.</typeparam>
    /// <param name="options">Actor options.</param>
    /// <param name="arguments">Arguments of the only public constructor; references can be passed for values.</param>
    /// <returns>A handle, immediately; calls wait until the constructor has completed.</returns>
    public abstract ActorHandle<TActor> Actor<TActor>(ActorOptions? options = null, params object?[] arguments)
        where TActor : class;

    /// <summary>Reserves a group of resource bundles atomically.</summary>
    /// <param name="bundles">The resources of each bundle.</param>
    /// <param name="strategy">How the bundles are placed across nodes. Default <see cref="PlacementStrategy.Pack"/>.</param>
    /// <param name="name">A display name for lists.</param>
    /// <returns>The group, immediately; its <see cref="PlacementGroup.Ready"/> completes when all bundles are reserved.</returns>
    /// <exception cref="InsufficientResourcesException">The request exceeds the total resources of the cluster.</exception>
    public abstract PlacementGroup CreatePlacementGroup(IEnumerable<Bundle> bundles, PlacementStrategy strategy = PlacementStrategy.Pack, string? name = null);

    /// <summary>Gets the total resources by name: <c>CPU</c>, <c>GPU</c>, <c>memory</c> and custom resources.</summary>
    public abstract IReadOnlyDictionary<string, double> Resources { get; }

    /// <summary>Gets the resources that are currently unreserved, by name.</summary>
    public abstract IReadOnlyDictionary<string, double> AvailableResources { get; }

    /// <summary>Gets the address of the dashboard, with a code that signs a browser in; null if there is none.</summary>
    public virtual string? DashboardUrl => null;

    /// <summary>Lists pending and running tasks, and the most recently completed ones.</summary>
    /// <returns>The tasks, newest last.</returns>
    public abstract IReadOnlyList<TaskState> ListTasks();

    /// <summary>Lists live actors, and the most recently dead ones.</summary>
    /// <returns>The actors, newest last.</returns>
    public abstract IReadOnlyList<ActorState> ListActors();

    /// <summary>Lists objects in shared memory, on disk, or borrowed by a worker. Objects that only this process references in memory are not listed.</summary>
    /// <returns>The objects, newest last.</returns>
    public abstract IReadOnlyList<ObjectState> ListObjects();

    /// <summary>Lists worker processes.</summary>
    /// <returns>The workers, oldest first.</returns>
    public abstract IReadOnlyList<WorkerState> ListWorkers();

    /// <summary>Counts tasks by function and state, actors by class and state, and objects by location.</summary>
    /// <returns>The counts.</returns>
    public abstract ClusterSummary Summary();

    /// <summary>Writes the recorded task executions as a Chrome trace, for <c>chrome://tracing</c> and Perfetto.</summary>
    /// <param name="output">The output stream, which is not closed.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <returns>A task that completes when the trace has been written.</returns>
    public abstract Task WriteTimeline(Stream output, CancellationToken cancellationToken = default);

    /// <inheritdoc/>
    public abstract ValueTask DisposeAsync();

    /// <summary>Starts a task. For generated code.</summary>
    /// <typeparam name="TResult">The result type.</typeparam>
    /// <param name="function">The function.</param>
    /// <param name="call">The call with its arguments.</param>
    /// <param name="options">Task options.</param>
    /// <returns>A reference to the result.</returns>
    [EditorBrowsable(EditorBrowsableState.Never)]
    public abstract ObjectRef<TResult> Submit<TResult>(RemoteFunction function, MethodCall<TResult> call, TaskOptions? options = null);

    /// <summary>Starts a streaming task. For generated code.</summary>
    /// <typeparam name="TItem">The item type.</typeparam>
    /// <param name="function">The function.</param>
    /// <param name="call">The call with its arguments.</param>
    /// <param name="options">Task options.</param>
    /// <returns>References to the items as they are produced.</returns>
    [EditorBrowsable(EditorBrowsableState.Never)]
    public abstract ObjectRefStream<TItem> SubmitStream<TItem>(RemoteFunction function, MethodCall<IAsyncEnumerable<TItem>> call, TaskOptions? options = null);

    /// <summary>Creates an actor. For generated code.</summary>
    /// <typeparam name="TActor">The actor's class.</typeparam>
    /// <param name="construct">The constructor call: invoked with any target, it creates the instance.</param>
    /// <param name="defaults">The attribute of the class.</param>
    /// <param name="options">Actor options.</param>
    /// <returns>A handle, immediately.</returns>
    [EditorBrowsable(EditorBrowsableState.Never)]
    public abstract ActorHandle<TActor> CreateActor<TActor>(MethodCall<TActor> construct, RemoteAttribute defaults, ActorOptions? options = null)
        where TActor : class;

    /// <summary>Returns whether a task with this isolation runs outside this process. Lambdas with captured variables are rejected then. Default true.</summary>
    /// <param name="isolation">The task's isolation.</param>
    /// <returns>Whether the task runs in another process.</returns>
    protected internal virtual bool RunsInWorkers(Isolation isolation) => true;

    /// <summary>Waits for objects of any types. The default implementation waits for each object through its own cluster.</summary>
    /// <param name="references">The references.</param>
    /// <param name="timeout">Maximum wait for all objects; null waits indefinitely.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <returns>A task that completes when all objects are ready, and fails as soon as one of them has failed.</returns>
    /// <exception cref="GetTimeoutException">The objects were not ready within <paramref name="timeout"/>.</exception>
    protected internal virtual async Task WaitForAll(ObjectRef[] references, TimeSpan? timeout, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(references);
        var pending = references.Select(reference => (Task)reference.GetBoxedAsync(cancellationToken)).ToList();
        var deadline = Task.Delay(timeout ?? Timeout.InfiniteTimeSpan, cancellationToken);
        while (pending.Count > 0)
        {
            var completed = await Task.WhenAny(pending.Append(deadline)).ConfigureAwait(false);
            await completed.ConfigureAwait(false);
            if (completed == deadline)
                throw new GetTimeoutException($"{pending.Count} of {references.Length} objects were not ready within {DurationTextFormat.Of(timeout!.Value)}.");
            pending.Remove(completed);
        }
    }

    /// <summary>Returns a reference to one item of a tuple. The default implementation submits a task that reads the item.</summary>
    /// <typeparam name="TTuple">The tuple's type.</typeparam>
    /// <typeparam name="TItem">The item's type.</typeparam>
    /// <param name="tuple">A reference to the tuple.</param>
    /// <param name="index">The item's index.</param>
    /// <returns>A reference to the item.</returns>
    protected internal virtual ObjectRef<TItem> CreateItemRef<TTuple, TItem>(ObjectRef<TTuple> tuple, int index)
        where TTuple : struct, ITuple =>
        LambdaTaskStarter.Start(
            this, TupleItemReader<TTuple, TItem>.Get, (Arg<TTuple>)tuple, (Arg<int>)index, isAsync: false,
            new() { Name = $"Item{index + 1}", NumCpus = 0, Isolation = Isolation.None }, static (get, items, i, _) => new ValueTask<TItem>(get(items, i)));

    /// <summary>Runs the continuation of an <c>await</c> when an object is ready. The default implementation posts it to the thread pool.</summary>
    /// <param name="reference">The awaited reference.</param>
    /// <param name="continuation">The continuation.</param>
    /// <param name="state">The continuation's argument.</param>
    /// <param name="flags">Whether to resume on the captured context.</param>
    protected internal virtual void AddAwaitContinuation(ObjectRef reference, Action<object?> continuation, object? state, ValueTaskSourceOnCompletedFlags flags)
    {
        ArgumentNullException.ThrowIfNull(reference);
        var resume = new AwaitContinuation(continuation, state, flags);
        if (!reference.TryAddContinuation(resume))
            resume.Run();
    }

    /// <summary>Blocks the calling thread until an object is ready. The default implementation blocks on <see cref="Get{T}(ObjectRef{T}, TimeSpan?, CancellationToken)"/>.</summary>
    /// <typeparam name="T">The object's type.</typeparam>
    /// <param name="reference">A reference of this cluster.</param>
    /// <param name="timeout">Maximum wait; null waits indefinitely.</param>
    /// <returns>The object.</returns>
    /// <exception cref="GetTimeoutException">The object was not ready within <paramref name="timeout"/>.</exception>
    protected internal virtual T GetBlocking<T>(ObjectRef<T> reference, TimeSpan? timeout) => Get(reference, timeout).AsTask().GetAwaiter().GetResult();

    /// <summary>Called when a task or actor call has failed and its reference was collected without any code having waited for it. For clusters.</summary>
    /// <param name="producer">Display name of the task or call.</param>
    /// <param name="failure">Its exception.</param>
    [EditorBrowsable(EditorBrowsableState.Never)]
    protected internal virtual void OnUnobservedFailure(string producer, Exception failure)
    {
    }

    /// <summary>Reports the failures that no code has waited for, because the cluster is disposed. For clusters.</summary>
    [EditorBrowsable(EditorBrowsableState.Never)]
    protected void ReportUnobservedFailures() => UnobservedFailure.ReportAll(this);

    /// <summary>Throws <see cref="ObjectDisposedException"/> if the cluster has been disposed.</summary>
    /// <exception cref="ObjectDisposedException">The cluster has been disposed.</exception>
    protected internal void ThrowIfDisposed()
    {
        if (IsDisposed)
            throw CreateDisposedException();
    }

    /// <summary>Creates the exception of a disposed cluster.</summary>
    /// <param name="message">The message.</param>
    /// <returns>The exception.</returns>
    protected internal static ObjectDisposedException CreateDisposedException(string message = "The cluster was disposed.") => new(nameof(Cluster), message);

    private sealed class AwaitContinuation : ObjectRefContinuation
    {
        private readonly Action<object?> _continuation;
        private readonly object? _state;
        private readonly ExecutionContext? _executionContext;
        private readonly SynchronizationContext? _synchronizationContext;

        public AwaitContinuation(Action<object?> continuation, object? state, ValueTaskSourceOnCompletedFlags flags)
        {
            _continuation = continuation;
            _state = state;
            _executionContext = flags.HasFlag(ValueTaskSourceOnCompletedFlags.FlowExecutionContext) ? ExecutionContext.Capture() : null;
            _synchronizationContext = flags.HasFlag(ValueTaskSourceOnCompletedFlags.UseSchedulingContext) ? SynchronizationContext.Current : null;
        }

        public override void Run()
        {
            if (_synchronizationContext is not null)
                _synchronizationContext.Post(static self => ((AwaitContinuation)self!).Resume(), this);
            else
                ThreadPool.UnsafeQueueUserWorkItem(static self => self.Resume(), this, preferLocal: true);
        }

        private void Resume()
        {
            if (_executionContext is null)
                _continuation(_state);
            else
                ExecutionContext.Run(_executionContext, static self => ((AwaitContinuation)self!)._continuation(((AwaitContinuation)self!)._state), this);
        }
    }
}
