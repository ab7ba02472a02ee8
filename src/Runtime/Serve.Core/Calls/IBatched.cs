namespace Serve.Calls;

/// <summary>
/// Takes the calls of a method that works on many items at once, each with one item: the replica's side of <c>[Batch]</c>. Compiled callers hand their item
/// over without boxing it.
/// </summary>
/// <typeparam name="TItem">What a caller passes.</typeparam>
/// <typeparam name="TResult">What it gets; for a streaming method <see cref="IAsyncEnumerable{T}"/> of the items.</typeparam>
public interface IBatched<in TItem, TResult>
{
    /// <summary>Puts an item where the next batch takes it from.</summary>
    /// <param name="item">The item.</param>
    /// <param name="cancellationToken">Takes it out again, or gives up on its result.</param>
    /// <returns>The item's own result.</returns>
    ValueTask<TResult> InvokeAsync(TItem item, CancellationToken cancellationToken);
}
