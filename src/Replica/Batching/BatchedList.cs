using Serve.Calls;
using Serve.Replica.Definitions;

namespace Serve.Replica.Batching;

/// <summary>A method that returns a list with one result per item.</summary>
internal sealed class BatchedList<TItem, TList, TElement, TResult> : BatchedMethod, IBatched<TItem, TResult>
    where TList : class, IEnumerable<TElement>
{
    private readonly BatchQueue<TItem, TResult> queue;
    private readonly Func<TItem[], CancellationToken, ValueTask<TList>> call;

    public BatchedList(BatchMethod method, object target, BatchHost host, IBatchObserver observer)
        : base(method, target, host)
    {
        call = BatchCall.Compile<TItem, ValueTask<TList>>(method, target);
        queue = new BatchQueue<TItem, TResult>(RunAsync, OptionsFor<TItem>(observer));
    }

    public override int Length => queue.Length;

    public override BatchSettings Settings
    {
        get => queue.Settings;
        set => queue.Settings = value;
    }

    public ValueTask<TResult> InvokeAsync(TItem item, CancellationToken cancellationToken) =>
        queue.EnqueueAsync(item, RequestContext.Current?.Call.MultiplexedModelId, cancellationToken);

    public override void Dispose() => queue.Dispose();

    protected override Delegate CompileEntry() => BatchCall.CompileFacade<TItem, ValueTask<TResult>>(Declared, InvokeAsync);

    private ValueTask RunAsync(Batch<TItem, TResult> batch)
    {
        var pending = Turns.RunAsync((this, batch), static state => state.Item1.Start(state.batch, state.Item1.call), Declared.Blocks);
        if (!pending.IsCompletedSuccessfully)
            return AwaitAsync(batch, pending);
        Distribute(batch, pending.Result);
        return ValueTask.CompletedTask;
    }

    private async ValueTask AwaitAsync(Batch<TItem, TResult> batch, ValueTask<TList> pending) =>
        Distribute(batch, await pending.ConfigureAwait(false));

    private void Distribute(Batch<TItem, TResult> batch, TList? list)
    {
        if (batch.Count == 0)
            return;
        if (list is null)
            throw new InvalidOperationException($"{Name} returned null instead of a list with {batch.Count} results.");
        var results = list as IReadOnlyList<TElement> ?? [.. list];
        if (results.Count != batch.Count)
            throw new InvalidOperationException($"{Name} returned {results.Count} results for {batch.Count} items; it must return one for each, in the order of the items.");
        for (var i = 0; i < results.Count; i++)
            Give(batch, i, results[i]);
    }

    private void Give(Batch<TItem, TResult> batch, int index, TElement element)
    {
        if (!Declared.HasOutcomes)
        {
            batch.SetResult(index, (TResult)(object)element!);
            return;
        }

        var outcome = (BatchResult<TResult>)(object)element!;
        if (outcome.Kind == BatchResultKind.Value)
            batch.SetResult(index, outcome.Value);
        else
            batch.SetException(index, outcome.Error ?? new InvalidOperationException($"{Name} has no result for this item (BatchResult.{outcome.Kind})."));
    }
}
