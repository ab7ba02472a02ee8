using System.Text.Json.Serialization;
using Serve.Calls;
using Serve.Runtime.Parallel;

namespace Serve;

/// <summary>
/// Queue shared by tasks and actors of a cluster in any process: first in, first out, for any number of producers and consumers. It is backed by an actor; pass
/// the queue itself to a task as an argument. It ends with <see cref="Shutdown"/>, or when it is no longer referenced.
/// </summary>
/// <typeparam name="T">Type of the items. Between processes they are passed like arguments.</typeparam>
public sealed class ActorQueue<T>
{
    private ActorHandle<SharedQueueActor<T>>? _actor;

    /// <summary>Finds a queue by name in the current cluster.</summary>
    /// <param name="name">Name of the queue.</param>
    /// <param name="maxSize">Maximum number of items; 0 for unlimited.</param>
    [JsonConstructor]
    public ActorQueue(string name, int maxSize)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        (Name, MaxSize) = (name, maxSize);
    }

    internal ActorQueue(string name, int maxSize, ActorHandle<SharedQueueActor<T>> actor)
        : this(name, maxSize) => _actor = actor;

    /// <summary>Name of the queue's actor.</summary>
    public string Name { get; }

    /// <summary>Maximum number of items; 0 for unlimited.</summary>
    public int MaxSize { get; }

    internal ActorHandle<SharedQueueActor<T>> Actor => _actor ??= Cluster.Current.GetActor<SharedQueueActor<T>>(Name);

    /// <summary>Adds an item; waits while the queue is full.</summary>
    /// <param name="item">Item to add.</param>
    /// <param name="timeout">Maximum wait. Default: unlimited.</param>
    /// <param name="cancellationToken">Cancels the wait; the item is then not added.</param>
    /// <returns>Task that completes when the item has been added.</returns>
    /// <exception cref="QueueFullException">The queue was still full after <paramref name="timeout"/>.</exception>
    public async Task Put(T item, TimeSpan? timeout = null, CancellationToken cancellationToken = default)
    {
        var put = new QueueActorCall<T, bool>(nameof(SharedQueueActor<>.Put), (queue, stop) => new(queue!.Put(item, timeout, stop)), item, timeout);
        if (!await Call(put, cancellationToken).ConfigureAwait(false))
            throw Full(1, timeout);
    }

    /// <summary>Removes and returns the first item; waits while the queue is empty.</summary>
    /// <param name="timeout">Maximum wait. Default: unlimited.</param>
    /// <param name="cancellationToken">Cancels the wait; no item is then removed.</param>
    /// <returns>The item.</returns>
    /// <exception cref="QueueEmptyException">The queue was still empty after <paramref name="timeout"/>.</exception>
    public async Task<T> Get(TimeSpan? timeout = null, CancellationToken cancellationToken = default)
    {
        var take = new QueueActorCall<T, (bool Has, T? Value)>(nameof(SharedQueueActor<>.Take), (queue, stop) => new(queue!.Take(timeout, stop)), timeout);
        var (has, value) = await Call(take, cancellationToken).ConfigureAwait(false);
        return has ? value! : throw Empty(1, timeout);
    }

    /// <summary>Adds an item if the queue is not full.</summary>
    /// <param name="item">Item to add.</param>
    /// <returns>Task that completes when the item has been added.</returns>
    /// <exception cref="QueueFullException">The queue is full.</exception>
    public Task PutNoWait(T item) => Put(item, TimeSpan.Zero);

    /// <summary>Removes and returns the first item if the queue is not empty.</summary>
    /// <returns>The item.</returns>
    /// <exception cref="QueueEmptyException">The queue is empty.</exception>
    public Task<T> GetNoWait() => Get(TimeSpan.Zero);

    /// <summary>Adds several items atomically if the queue has capacity for all of them.</summary>
    /// <param name="items">Items to add.</param>
    /// <returns>Task that completes when the items have been added.</returns>
    /// <exception cref="QueueFullException">The queue has no capacity for all of them.</exception>
    public async Task PutNoWaitBatch(IEnumerable<T> items)
    {
        var batch = items.ToArray();
        var put = new QueueActorCall<T, bool>(nameof(SharedQueueActor<>.PutBatch), (queue, _) => new(queue!.PutBatch(batch)), [batch]);
        if (!await Call(put, default).ConfigureAwait(false))
            throw Full(batch.Length, TimeSpan.Zero);
    }

    /// <summary>Removes and returns several items atomically if the queue holds enough.</summary>
    /// <param name="count">Number of items.</param>
    /// <returns>The items in order.</returns>
    /// <exception cref="QueueEmptyException">The queue holds fewer items.</exception>
    public async Task<T[]> GetNoWaitBatch(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        var take = new QueueActorCall<T, T[]?>(nameof(SharedQueueActor<>.TakeBatch), (queue, _) => new(queue!.TakeBatch(count)), count);
        return await Call(take, default).ConfigureAwait(false) ?? throw Empty(count, TimeSpan.Zero);
    }

    /// <summary>Returns the number of items.</summary>
    /// <returns>The number at some time during the call.</returns>
    public async Task<int> Size() => await Call(new QueueActorCall<T, int>(nameof(SharedQueueActor<>.Size), (queue, _) => new(queue!.Size())), default).ConfigureAwait(false);

    /// <summary>Returns whether the queue is empty.</summary>
    /// <returns>The answer at some time during the call.</returns>
    public async Task<bool> IsEmpty() => await Size().ConfigureAwait(false) == 0;

    /// <summary>Returns whether the queue is full. A queue without a limit never is.</summary>
    /// <returns>The answer at some time during the call.</returns>
    public async Task<bool> IsFull() => MaxSize > 0 && await Size().ConfigureAwait(false) >= MaxSize;

    /// <summary>Ends the queue and discards its items. Pending and later calls fail with <see cref="ActorDiedException"/>.</summary>
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

        // Not canceled here: an item that was handed over at the last moment counts.
        var result = await reply.AsTask().ConfigureAwait(false);
        GC.KeepAlive(handle);
        return result;
    }

    private QueueFullException Full(int count, TimeSpan? timeout) =>
        new($"{this} holds at most {MaxSize} items and had no capacity for {count} more{Waited(timeout)}. Remove items, or wait longer.");

    private QueueEmptyException Empty(int count, TimeSpan? timeout) =>
        new($"{this} has had no {(count == 1 ? "item" : $"{count} items")}{Waited(timeout)}. Add items, or wait longer.");
}

/// <summary>Serialized form of a queue.</summary>
internal sealed record SerializedActorQueue<T>(string Name, int MaxSize, ActorHandle<SharedQueueActor<T>> Actor);
