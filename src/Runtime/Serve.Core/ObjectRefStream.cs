namespace Serve;

/// <summary>
/// The results of a streaming task as they come: a ref for each item. The task waits when too many lie unread, and is cancelled when the
/// loop is left early. Read it once.
/// </summary>
/// <typeparam name="T">The items' type.</typeparam>
public abstract class ObjectRefStream<T> : IAsyncEnumerable<ObjectRef<T>>
{
    private protected ObjectRefStream()
    {
    }

    /// <summary>Ready when the stream has ended; fails as it did.</summary>
    public abstract ObjectRef Completion { get; }

    /// <inheritdoc/>
    public abstract IAsyncEnumerator<ObjectRef<T>> GetAsyncEnumerator(CancellationToken cancellationToken = default);
}
