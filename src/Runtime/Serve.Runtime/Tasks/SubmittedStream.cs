using System.Diagnostics;
using Serve.Calls;

namespace Serve.Runtime.Tasks;

/// <summary>A task whose results come one by one. When it is tried again, the items that were there already are left out.</summary>
internal sealed class SubmittedStream<TItem> : SubmittedTask
{
    private static readonly object NoTarget = new();
    private readonly ObjectRef<TItem> completion;
    private readonly Func<ObjectId> nextId;
    private MethodCall<IAsyncEnumerable<TItem>>? call;
    private long skip;

    public SubmittedStream(TaskPlan plan, ObjectRef<TItem> completion, ObjectId? parent, MethodCall<IAsyncEnumerable<TItem>> call, Func<ObjectId> nextId)
        : base(plan, completion, parent)
    {
        this.completion = completion;
        this.call = call;
        this.nextId = nextId;
        Items = new(completion, plan.MaxBufferedItems, () => Cancel(force: false, recursive: true));
    }

    public ItemStream<TItem> Items { get; }

    public override bool IsStream => true;

    protected override bool HasRefs => call!.HasRefs;

    public override object?[] GetArguments() => call?.GetArguments() ?? [];

    public override void Succeeded(StoredObject result) => throw new InvalidOperationException($"{Label} is a stream and has no single result.");

    public override void Completed()
    {
        var here = Slot;
        var wasWaiting = Complete();
        here.Ended(this, wasWaiting);
    }

    public override async ValueTask ItemAsync(StoredObject item)
    {
        var reference = new ObjectRef<TItem>(Cluster, nextId());
        reference.TrySetStored(item);
        await AddAsync(reference).ConfigureAwait(false);
    }

    protected override void CollectRefs(ICollection<ObjectRef> references) => call?.CollectRefs(references);

    protected override void Attempting() => skip = Items.Count;

    protected override bool Invoke()
    {
        SetFlowing(this);
        SynchronizationContext.SetSynchronizationContext(Dispatcher.Context);
        var flow = RunAsync(Stop);
        GoesOn(flow);
        _ = flow.ContinueWith(
            static (ended, self) => ((SubmittedStream<TItem>)self!).EndAsync(ended),
            this,
            CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);
        return false;
    }

    protected override void Forget() => call = null;

    private async Task RunAsync(CancellationToken stop)
    {
        if (!call!.TryInvoke(NoTarget, stop, out var pending))
            throw new InvalidOperationException($"{Function} cannot be invoked as it is not compiled into this program.");
        await foreach (var item in (await pending).WithCancellation(stop))
        {
            var reference = new ObjectRef<TItem>(Cluster, nextId());
            reference.TrySetResult(item);
            var added = AddAsync(reference);
            if (!added.IsCompletedSuccessfully)
                await ContextWait.WaitAsync(added, stop);

            // Cancelled: nobody reads on, and the token may be told later than the ref.
            if (completion.IsReady)
                return;
        }
    }

    private Task AddAsync(ObjectRef<TItem> item)
    {
        if (skip == 0)
            return Items.AddAsync(item);
        skip--;
        return Task.CompletedTask;
    }

    private void EndAsync(Task ended)
    {
        var here = Slot;
        if (ended.IsCompletedSuccessfully)
        {
            Complete();
        }
        else
        {
            var thrown = ended.Exception?.InnerException ?? new TaskCanceledException(ended);
            Fail(thrown as ServeException ?? new UserCodeException(thrown), isSystem: false);
        }

        here.Ended(this, wasWaiting: false);
    }

    private bool Complete()
    {
        var wasWaiting = End(Stopwatch.GetTimestamp(), completion.Error);
        completion.TrySetResult(default!);
        completion.Producer = null;
        return wasWaiting;
    }
}
