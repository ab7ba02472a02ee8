using System.Runtime.CompilerServices;
using Serve.Calls;
using Serve.Replica.Definitions;

namespace Serve.Replica.Batching;

/// <summary>A batched method that streams: each step has a result for each caller.</summary>
internal sealed class BatchedStreamMethod<TItem, TStep, TResult> : BatchedMethod, IBatched<TItem, IAsyncEnumerable<TResult>>
    where TStep : class, IEnumerable<BatchResult<TResult>>
{
    private readonly BatchQueue<TItem, BatchCallerStream<TResult>> _queue;
    private readonly Func<TItem[], CancellationToken, IAsyncEnumerable<TStep>> _call;

    public BatchedStreamMethod(BatchMethodDefinition method, object target, BatchMethodContext host, IBatchQueueObserver observer)
        : base(method, target, host)
    {
        _call = BatchCallCompiler.Compile<TItem, IAsyncEnumerable<TStep>>(method, target);
        _queue = new BatchQueue<TItem, BatchCallerStream<TResult>>(RunAsync, OptionsFor<TItem>(observer));
    }

    public override int Length => _queue.Length;

    public override BatchQueueSettings Settings
    {
        get => _queue.Settings;
        set => _queue.Settings = value;
    }

    public ValueTask<IAsyncEnumerable<TResult>> InvokeAsync(TItem item, CancellationToken cancellationToken) => new(Stream(item, cancellationToken));

    public override void Dispose() => _queue.Dispose();

    protected override Delegate CompileEntry() => BatchCallCompiler.CompileFacade<TItem, IAsyncEnumerable<TResult>>(Declared, Stream);

    private IAsyncEnumerable<TResult> Stream(TItem item, CancellationToken cancellationToken) =>
        ReadAsync(item, RequestContext.Current?.Call ?? CallContext.None, cancellationToken);

    // The item is queued when the caller requests the first result.
    private async IAsyncEnumerable<TResult> ReadAsync(TItem item, CallContext call, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var stream = await _queue.EnqueueAsync(item, call.MultiplexedModelId, call.Urgency, cancellationToken).ConfigureAwait(false);
        await foreach (var result in stream.ReadAsync(cancellationToken).ConfigureAwait(false))
            yield return result;
    }

    private async ValueTask RunAsync(DispatchedBatch<TItem, BatchCallerStream<TResult>> batch)
    {
        var steps = await Turns.RunAsync(
            (this, batch), static state => new ValueTask<IAsyncEnumerable<TStep>?>(state.Item1.Start(state.batch, state.Item1._call)), Declared.Blocks).ConfigureAwait(false);
        if (batch.Count == 0)
            return;
        var streams = new BatchCallerStreams<TItem, TResult>(batch);
        try
        {
            if (steps is null)
                throw new InvalidOperationException($"{Name} returned null instead of a stream.");
            await PumpAsync(Turns.Wrap(steps, Declared.Blocks), streams, batch.Request, batch.CancellationToken).ConfigureAwait(false);
            streams.Close(null);
        }
        catch (Exception thrown)
        {
            _queue.ReportFailure(thrown, streams.Readers);
            streams.Close(thrown);
        }
    }

    private async Task PumpAsync(IAsyncEnumerable<TStep> steps, BatchCallerStreams<TItem, TResult> streams, RequestContext? request, CancellationToken stop)
    {
        // Each step has the execution context of this method; the call that created the stream has ended.
        RequestContext.Current = request;
        await foreach (var step in steps.WithCancellation(stop).ConfigureAwait(false))
        {
            var results = step as IReadOnlyList<BatchResult<TResult>> ?? [.. step];
            if (results.Count != streams.Count)
                throw new InvalidOperationException($"{Name} yielded {results.Count} results for {streams.Count} items; each step must have one result per item, in the order of the items.");
            if (!streams.Write(results))
                break;
        }
    }
}
