using System.Text.Json.Serialization;
using Serve.Calls;
using Serve.Runtime.Parallel;

namespace Serve;

/// <summary>
/// A queue that tasks and actors of a cluster share, whatever process they run in: first in, first out, for any number of producers and consumers. It is an
/// actor; give the queue itself to a task as an argument. It ends with <see cref="Shutdown"/>, or when nobody holds it any more.
/// </summary>
/// <typeparam name="T">The items' type. Between processes they travel as arguments do.</typeparam>
public sealed class ActorQueue<T>
{
    private ActorHandle<SharedQueueActor<T>>? _actor;

    /// <summary>Finds a queue by its name, in the cluster whose code is running.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="maxSize">How many items it holds at most; 0 for no limit.</param>
    [JsonConstructor]
    public ActorQueue(string name, int maxSize)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        (Name, MaxSize) = (name, maxSize);
    }

    internal ActorQueue(string name, int maxSize, ActorHandle<SharedQueueActor<T>> actor)
        : this(name, maxSize) => this._actor = actor;

    /// <summary>The name of its actor.</summary>
    public string Name { get; }

    /// <summary>How many items it holds at most; 0 for no limit.</summary>
    public int MaxSize { get; }

    internal ActorHandle<SharedQueueActor<T>> Actor => _actor ??= Cluster.Current.GetActor<SharedQueueActor<T>>(Name);

    /// <summary>Adds an item, waiting for room.</summary>
    /// <param name="item">The item.</param>
    /// <param name="timeout">How long at most. Default: for ever.</param>
    /// <param name="cancellationToken">Gives it up; then the item is not in the queue.</param>
    /// <returns>Completes when it is in.</returns>
    /// <exception cref="QueueFullException">There was no room in time.</exception>
    public async Task Put(T item, TimeSpan? timeout = null, CancellationToken cancellationToken = default)
    {
        var put = new QueueActorCall<T, bool>(nameof(SharedQueueActor<>.Put), (queue, stop) => new(queue!.Put(item, timeout, stop)), item, timeout);
        if (!await Call(put, cancellationToken).ConfigureAwait(false))
            throw Full(1, timeout);
    }

    /// <summary>Takes the first item, waiting for one.</summary>
    /// <param name="timeout">How long at most. Default: for ever.</param>
    /// <param name="cancellationToken">Gives it up; then no item is taken.</param>
    /// <returns>The item.</returns>
    /// <exception cref="QueueEmptyException">There was none in time.</exception>
    public async Task<T> Get(TimeSpan? timeout = null, CancellationToken cancellationToken = default)
    {
        var take = new QueueActorCall<T, (bool Has, T? Value)>(nameof(SharedQueueActor<>.Take), (queue, stop) => new(queue!.Take(timeout, stop)), timeout);
        var (has, value) = await Call(take, cancellationToken).ConfigureAwait(false);
        return has ? value! : throw Empty(1, timeout);
    }

    /// <summary>Adds an item if there is room now.</summary>
    /// <param name="item">The item.</param>
    /// <returns>Completes when it is in.</returns>
    /// <exception cref="QueueFullException">There is no room.</exception>
    public Task PutNoWait(T item) => Put(item, TimeSpan.Zero);

    /// <summary>Takes the first item if there is one now.</summary>
    /// <returns>The item.</returns>
    /// <exception cref="QueueEmptyException">There is none.</exception>
    public Task<T> GetNoWait() => Get(TimeSpan.Zero);

    /// <summary>Adds many items at once if there is room for all of them now; otherwise none.</summary>
    /// <param name="items">The items.</param>
    /// <returns>Completes when they are in.</returns>
    /// <exception cref="QueueFullException">There is no room for all of them.</exception>
    public async Task PutNoWaitBatch(IEnumerable<T> items)
    {
        var batch = items.ToArray();
        var put = new QueueActorCall<T, bool>(nameof(SharedQueueActor<>.PutBatch), (queue, _) => new(queue!.PutBatch(batch)), [batch]);
        if (!await Call(put, default).ConfigureAwait(false))
            throw Full(batch.Length, TimeSpan.Zero);
    }

    /// <summary>Takes so many items at once if there are so many now; otherwise none.</summary>
    /// <param name="count">How many.</param>
    /// <returns>The items in order.</returns>
    /// <exception cref="QueueEmptyException">There are fewer.</exception>
    public async Task<T[]> GetNoWaitBatch(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        var take = new QueueActorCall<T, T[]?>(nameof(SharedQueueActor<>.TakeBatch), (queue, _) => new(queue!.TakeBatch(count)), count);
        return await Call(take, default).ConfigureAwait(false) ?? throw Empty(count, TimeSpan.Zero);
    }

    /// <summary>How many items it holds.</summary>
    /// <returns>The number at some moment during the call.</returns>
    public async Task<int> Size() => await Call(new QueueActorCall<T, int>(nameof(SharedQueueActor<>.Size), (queue, _) => new(queue!.Size())), default).ConfigureAwait(false);

    /// <summary>Whether it holds nothing.</summary>
    /// <returns>So at some moment during the call.</returns>
    public async Task<bool> IsEmpty() => await Size().ConfigureAwait(false) == 0;

    /// <summary>Whether it has no room. One without a limit always has.</summary>
    /// <returns>So at some moment during the call.</returns>
    public async Task<bool> IsFull() => MaxSize > 0 && await Size().ConfigureAwait(false) >= MaxSize;

    /// <summary>Ends the queue and drops what is in it. Who waits for it, or calls it later, gets <see cref="ActorDiedException"/>.</summary>
    public void Shutdown() => Actor.Kill();

    /// <inheritdoc/>
    public override string ToString() => $"queue {Name}";

    private static string Waited(TimeSpan? timeout) => timeout > TimeSpan.Zero ? $" within {DurationTextFormat.Of(timeout.Value)}" : "";

    private async Task<TResult> Call<TResult>(MethodCall<TResult> call, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var handle = Actor;
        var reply = handle.Submit(call);
        using var registration = cancellationToken.UnsafeRegister(static state => ((ObjectRef)state!).Cluster.Cancel((ObjectRef)state), reply);

        // Not given up here: what was handed over at the last moment counts.
        var result = await reply.AsTask().ConfigureAwait(false);
        GC.KeepAlive(handle);
        return result;
    }

    private QueueFullException Full(int count, TimeSpan? timeout) =>
        new($"{this} holds at most {MaxSize}, and there was no room for {count} more{Waited(timeout)}. Take items out, or wait longer.");

    private QueueEmptyException Empty(int count, TimeSpan? timeout) =>
        new($"{this} has had no {(count == 1 ? "item" : $"{count} items")}{Waited(timeout)}. Put some in, or wait longer.");
}
