using Serve.Calls;
using Serve.Runtime.Clusters;
using Serve.Runtime.Tasks;

namespace Serve.Runtime.CoreActors;

/// <summary>A call that streams; its ref is that of the stream's end. Its items wait in its stream until they are read, and the actor's code waits when they are too many.</summary>
internal sealed class StreamingActorCall<TItem> : PendingActorCall<TItem>
{
    private readonly MethodCall<IAsyncEnumerable<TItem>> _call;
    private readonly DriverCluster _cluster;

    public StreamingActorCall(ActorRecord actor, ObjectId id, DriverCluster cluster, ActorMethodPlan plan, ActorCallDetails? extras, MethodCall<IAsyncEnumerable<TItem>> call)
        : base(actor, id, plan, extras)
    {
        this._call = call;
        this._cluster = cluster;
        Items = new(this, extras?.Options?.MaxBufferedItems, Cancel);
    }

    public override bool IsStream => true;

    public BufferedObjectRefStream<TItem> Items { get; }

    public override object?[] GetArguments() => _call.GetArguments();

    public override async ValueTask TakeItemAsync(StoredObject item, int index)
    {
        // What an earlier attempt has brought already is not told twice.
        if (index < Items.Count)
            return;
        var reference = new ObjectRef<TItem>(_cluster, _cluster.NextId());
        reference.TrySetStored(item);
        await Items.AddAsync(reference).ConfigureAwait(false);
    }

    protected override void CollectRefs(ICollection<ObjectRef> references) => _call.CollectRefs(references);

    protected override ValueTask<TItem> Invoke(ActorCallInvoker invoker, CancellationToken token) => new(PumpAsync(invoker, token));

    // Without ConfigureAwait: it runs in the actor's turns, and so does what it asks of the user's stream.
    private async Task<TItem> PumpAsync(ActorCallInvoker invoker, CancellationToken token)
    {
        var index = 0;
        await foreach (var item in (await invoker.InvokeStream(_call, token)).WithCancellation(token))
        {
            if (index++ < Items.Count)
                continue;
            // Cancelled, or its actor died: nobody reads on, and the token may be told later than the ref.
            if (IsReady)
                break;
            var reference = new ObjectRef<TItem>(_cluster, _cluster.NextId());
            reference.TrySetResult(item);
            await Items.AddAsync(reference);
        }

        return default!;
    }
}
