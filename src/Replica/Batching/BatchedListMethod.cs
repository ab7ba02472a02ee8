using Serve.Calls;
using Serve.Replica.Definitions;

namespace Serve.Replica.Batching;

/// <summary>A batched method that returns a list with one result per item.</summary>
internal sealed class BatchedListMethod<TItem, TList, TElement, TResult> : BatchedMethod, IBatched<TItem, TResult>
    where TList : class, IEnumerable<TElement>
{
    private readonly BatchQueue<TItem, TResult> _queue;
    private readonly Func<TItem[], CancellationToken, ValueTask<TList>> _call;

    public BatchedListMethod(BatchMethodDefinition method, object target, BatchMethodContext host, IBatchQueueObserver observer)
        : base(method, target, host)
    {
        _call = BatchCallCompiler.Compile<TItem, ValueTask<TList>>(method, target);
        _queue = new BatchQueue<TItem, TResult>(RunAsync, OptionsFor<TItem>(observer));
    }

    public override int Length => _queue.Length;

    public override BatchQueueSettings Settings
    {
        get => _queue.Settings;
        set => _queue.Settings = value;
    }

    public ValueTask<TResult> InvokeAsync(TItem item, CancellationToken cancellationToken)
    {
        var call = RequestContext.Current?.Call ?? CallContext.None;
        return _queue.EnqueueAsync(item, call.MultiplexedModelId, call.Urgency, cancellationToken);
    }

    public override void Dispose() => _queue.Dispose();

    protected override Delegate CompileEntry() => BatchCallCompiler.CompileFacade<TItem, ValueTask<TResult>>(Declared, InvokeAsync);

    private ValueTask RunAsync(DispatchedBatch<TItem, TResult> batch)
    {
        var pending = Turns.RunAsync((this, batch), static state => state.Item1.Start(state.batch, state.Item1._call), Declared.Blocks);
        if (!pending.IsCompletedSuccessfully)
            return AwaitAsync(batch, pending);
        Distribute(batch, pending.Result);
        return ValueTask.CompletedTask;
    }

    private async ValueTask AwaitAsync(DispatchedBatch<TItem, TResult> batch, ValueTask<TList> pending) =>
        Distribute(batch, await pending.ConfigureAwait(false));

    private void Distribute(DispatchedBatch<TItem, TResult> batch, TList? list)
    {
        if (batch.Count == 0)
            return;
        if (list is null)
            throw new InvalidOperationException($"{Name} returned null instead of a list with {batch.Count} results.");
        var results = list as IReadOnlyList<TElement> ?? [.. list];
        if (results.Count != batch.Count)
            throw new InvalidOperationException($"{Name} returned {results.Count} results for {batch.Count} items; it must return one result per item, in the order of the items.");
        for (var i = 0; i < results.Count; i++)
            Give(batch, i, results[i]);
    }

    private void Give(DispatchedBatch<TItem, TResult> batch, int index, TElement element)
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
