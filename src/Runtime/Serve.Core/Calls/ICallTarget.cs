namespace Serve.Calls;

/// <summary>
/// A callee: a replica in this or another process, a deployment behind a router, or a deployment reached over HTTP.
/// Failures are <see cref="ServeException"/>s; an exception of user code is a <see cref="UserCodeException"/>.
/// </summary>
public interface ICallTarget
{
    /// <summary>Calls a method.</summary>
    /// <typeparam name="TResult">The result type.</typeparam>
    /// <param name="call">The method and its arguments.</param>
    /// <param name="context">The context of the call.</param>
    /// <param name="cancellationToken">Cancels the call, also while it runs in another process.</param>
    /// <returns>The method's result.</returns>
    /// <exception cref="CallRefusedException">A single replica is at its limit or stopping; the call did not start.</exception>
    ValueTask<TResult> InvokeAsync<TResult>(MethodCall<TResult> call, CallContext context, CancellationToken cancellationToken);

    /// <summary>Calls a streaming method. The call starts when the first item is requested; leaving the loop early cancels it.</summary>
    /// <typeparam name="TItem">The item type.</typeparam>
    /// <param name="call">The method and its arguments.</param>
    /// <param name="context">The context of the call.</param>
    /// <param name="cancellationToken">Cancels the call, also while it runs in another process.</param>
    /// <returns>The items as they are produced.</returns>
    IAsyncEnumerable<TItem> StreamAsync<TItem>(MethodCall<IAsyncEnumerable<TItem>> call, CallContext context, CancellationToken cancellationToken);
}

/// <summary>The replica's side of a method with <c>[Batch]</c>: accepts single items, which compiled callers pass without boxing.</summary>
/// <typeparam name="TItem">The item type.</typeparam>
/// <typeparam name="TResult">The result type; for a streaming method <see cref="IAsyncEnumerable{T}"/> of the items.</typeparam>
public interface IBatched<in TItem, TResult>
{
    /// <summary>Enqueues an item for the next batch.</summary>
    /// <param name="item">The item.</param>
    /// <param name="cancellationToken">Removes the item from the queue, or abandons its result.</param>
    /// <returns>The item's result.</returns>
    ValueTask<TResult> InvokeAsync(TItem item, CancellationToken cancellationToken);
}

/// <summary>
/// A single replica refused a call before starting it: it is full or stopping, or its process is unreachable. Routers catch it and pick another replica;
/// callers of a deployment never see it.
/// </summary>
/// <param name="replicaId">The replica.</param>
/// <param name="gone">Whether the replica has stopped or died, rather than being full.</param>
/// <param name="inner">The connection error, if there is one.</param>
public sealed class CallRefusedException(string replicaId, bool gone, Exception? inner = null)
    : Exception($"Replica {replicaId} {(gone ? "has stopped" : "is at its limit")}; the call did not start.", inner)
{
    /// <summary>Gets the replica that refused.</summary>
    public string ReplicaId { get; } = replicaId;

    /// <summary>Gets whether the replica has stopped or died, rather than being full.</summary>
    public bool Gone { get; } = gone;
}
