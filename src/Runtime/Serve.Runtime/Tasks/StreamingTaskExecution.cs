using System.Diagnostics;
using Serve.Calls;

namespace Serve.Runtime.Tasks;

/// <summary>Execution of a task that returns a stream. A retry skips the items that were already delivered.</summary>
internal sealed class StreamingTaskExecution<TItem> : TaskExecution
{
    private static readonly object NoTarget = new();
    private readonly ObjectRef<TItem> _completion;
    private readonly Func<ObjectId> _nextId;
    private MethodCall<IAsyncEnumerable<TItem>>? _call;
    private long _skip;

    public StreamingTaskExecution(TaskExecutionPlan plan, ObjectRef<TItem> completion, ObjectId? parent, MethodCall<IAsyncEnumerable<TItem>> call, Func<ObjectId> nextId)
        : base(plan, completion, parent)
    {
        _completion = completion;
        _call = call;
        _nextId = nextId;
        Sizes = plan.Queue.RunsInWorker ? StreamBufferSizes.ForProducerInWorker(plan.MaxBufferedItems) : new(StreamBufferSizes.CapacityOf(plan.MaxBufferedItems), 0);
        Items = new(completion, Sizes.Buffer, () => Cancel(force: false, recursive: true));
    }

    public BufferedObjectRefStream<TItem> Items { get; }

    public StreamBufferSizes Sizes { get; }

    public override bool IsStream => true;

    public override int ItemWindow => Sizes.Window;

    protected override bool HasRefs => _call!.HasRefs;

    public override object?[] GetArguments() => _call?.GetArguments() ?? [];

    public override void ReportResult(StoredObject result) => throw new InvalidOperationException($"{Label} is a stream and has no single result.");

    public override void ReportStreamEnd()
    {
        var here = Lease;
        var wasWaiting = Complete();
        here.OnTaskEnded(this, wasWaiting);
    }

    public override async ValueTask ReportItemAsync(StoredObject item)
    {
        var reference = new ObjectRef<TItem>(Cluster, _nextId());
        reference.TrySetStored(item);
        await AddAsync(reference).ConfigureAwait(false);
    }

    protected override void CollectRefs(ICollection<ObjectRef> references) => _call?.CollectRefs(references);

    protected override void OnAttemptStarting() => _skip = Items.Count;

    protected override bool Invoke()
    {
        SetFlowing(this);
        SynchronizationContext.SetSynchronizationContext(Dispatcher.Context);
        var flow = RunAsync(StopToken);
        SetAsyncCode(flow);
        _ = flow.ContinueWith(
            static (ended, self) => ((StreamingTaskExecution<TItem>)self!).EndAsync(ended),
            this,
            CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);
        return false;
    }

    protected override void ReleaseArguments() => _call = null;

    private async Task RunAsync(CancellationToken stop)
    {
        if (!_call!.TryInvoke(NoTarget, stop, out var pending))
            throw new InvalidOperationException($"{Function} cannot be invoked because it is not compiled into this program.");
        await foreach (var item in (await pending).WithCancellation(stop))
        {
            var reference = new ObjectRef<TItem>(Cluster, _nextId());
            reference.TrySetResult(item);
            var added = AddAsync(reference);
            if (!added.IsCompletedSuccessfully)
                await CpuReleasingWait.WaitAsync(added, stop);

            // Canceled: the stream has no reader any more. The token may fire later than the reference fails.
            if (_completion.IsReady)
                return;
        }
    }

    private Task AddAsync(ObjectRef<TItem> item)
    {
        if (_skip == 0)
            return Items.AddAsync(item);
        _skip--;
        return Task.CompletedTask;
    }

    private void EndAsync(Task ended)
    {
        var here = Lease;
        if (ended.IsCompletedSuccessfully)
        {
            Complete();
        }
        else
        {
            var thrown = ended.Exception?.InnerException ?? new TaskCanceledException(ended);
            Fail(thrown as ServeException ?? new UserCodeException(thrown), isSystem: false);
        }

        here.OnTaskEnded(this, wasWaiting: false);
    }

    private bool Complete()
    {
        var wasWaiting = Finish(Stopwatch.GetTimestamp(), _completion.Error);
        _completion.TrySetResult(default!);
        _completion.Producer = null;
        return wasWaiting;
    }
}
