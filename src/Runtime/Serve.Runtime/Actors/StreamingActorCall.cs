using Serve.Calls;
using Serve.Runtime.Tasks;

namespace Serve.Runtime.Actors;

/// <summary>A streaming actor call; its reference becomes ready at the end of the stream. Unread items are buffered; user code waits while the buffer is full.</summary>
internal sealed class StreamingActorCall<TItem> : PendingActorCall<TItem>
{
    private readonly MethodCall<IAsyncEnumerable<TItem>> _call;

    public StreamingActorCall(ActorCallQueue queue, ObjectId id, ActorMethodPlan plan, ActorCallDetails? details, MethodCall<IAsyncEnumerable<TItem>> call)
        : base(queue, id, plan, details)
    {
        _call = call;
        var limit = details?.Options?.MaxBufferedItems;
        Sizes = queue.IsProcess ? StreamBufferSizes.ForProducerInWorker(limit) : new(StreamBufferSizes.CapacityOf(limit), 0);
        Items = new(this, Sizes.Buffer, Cancel);
    }

    public StreamBufferSizes Sizes { get; }

    public override bool IsStream => true;

    public override int ItemWindow => Sizes.Window;

    public BufferedObjectRefStream<TItem> Items { get; }

    public override object?[] GetArguments() => _call.GetArguments();

    public override async ValueTask TakeItemAsync(StoredObject item, int index)
    {
        // Items that an earlier attempt has delivered are skipped.
        if (index < Items.Count)
            return;
        var reference = new ObjectRef<TItem>(Queue.Cluster, Queue.NextId());
        reference.TrySetStored(item);
        await Items.AddAsync(reference).ConfigureAwait(false);
    }

    protected override void CollectRefs(ICollection<ObjectRef> references) => _call.CollectRefs(references);

    protected override ValueTask<TItem> Invoke(ActorCallInvoker invoker, CancellationToken token) => new(PumpAsync(invoker, token));

    // Without ConfigureAwait(false): this code and the user's stream run in turns of the actor.
    private async Task<TItem> PumpAsync(ActorCallInvoker invoker, CancellationToken token)
    {
        var index = 0;
        await foreach (var item in (await invoker.InvokeStream(_call, token)).WithCancellation(token))
        {
            if (index++ < Items.Count)
                continue;
            // Canceled, or the actor died: the stream has no reader, and the token may fire later than the reference becomes ready.
            if (IsReady)
                break;
            var reference = new ObjectRef<TItem>(Queue.Cluster, Queue.NextId());
            reference.TrySetResult(item);
            await Items.AddAsync(reference);
        }

        return default!;
    }
}
