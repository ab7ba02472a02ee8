namespace Serve;

/// <summary>
/// The results of a streaming task as they are produced: a reference per item. The task waits when too many items are unread, and is canceled when
/// the loop is left early. Can be enumerated once.
/// </summary>
/// <typeparam name="T">The item type.</typeparam>
public abstract class ObjectRefStream<T> : IAsyncEnumerable<ObjectRef<T>>
{
    /// <summary>Gets a reference that is ready when the stream has ended, and fails with the stream's error.</summary>
    public abstract ObjectRef Completion { get; }

    /// <inheritdoc/>
    public abstract IAsyncEnumerator<ObjectRef<T>> GetAsyncEnumerator(CancellationToken cancellationToken = default);
}

/// <summary>The result of <see cref="Cluster.Wait{T}"/>: ready and pending references, each in the order in which they were passed.</summary>
/// <typeparam name="T">The objects' type.</typeparam>
/// <param name="Ready">The ready references, failed ones included.</param>
/// <param name="Pending">The remaining references.</param>
public readonly record struct WaitResult<T>(IReadOnlyList<ObjectRef<T>> Ready, IReadOnlyList<ObjectRef<T>> Pending);
