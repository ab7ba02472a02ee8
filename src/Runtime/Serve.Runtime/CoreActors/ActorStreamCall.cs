using Serve.Calls;
using Serve.Runtime.Clusters;
using Serve.Runtime.Tasks;

namespace Serve.Runtime.CoreActors;

/// <summary>A call that streams; its ref is that of the stream's end. Its items wait in its stream until they are read, and the actor's code waits when they are too many.</summary>
internal sealed class ActorStreamCall<TItem> : ActorCallRef<TItem>
{
    private readonly MethodCall<IAsyncEnumerable<TItem>> call;
    private readonly HeadCluster cluster;

    public ActorStreamCall(CoreActor actor, ObjectId id, HeadCluster cluster, MethodPlan plan, CallExtras? extras, MethodCall<IAsyncEnumerable<TItem>> call)
        : base(actor, id, plan, extras)
    {
        this.call = call;
        this.cluster = cluster;
        Items = new(this, extras?.Options?.MaxBufferedItems, Cancel);
    }

    public override bool IsStream => true;

    public ItemStream<TItem> Items { get; }

    public override object?[] GetArguments() => call.GetArguments();

    public override async ValueTask TakeItemAsync(StoredObject item, int index)
    {
        // What an earlier attempt has brought already is not told twice.
        if (index < Items.Count)
            return;
        var reference = new ObjectRef<TItem>(cluster, cluster.NextId());
        reference.TrySetStored(item);
        await Items.AddAsync(reference).ConfigureAwait(false);
    }

    protected override void CollectRefs(ICollection<ObjectRef> references) => call.CollectRefs(references);

    protected override ValueTask<TItem> Invoke(ActorInvoker invoker, CancellationToken token) => new(PumpAsync(invoker, token));

    // Without ConfigureAwait: it runs in the actor's turns, and so does what it asks of the user's stream.
    private async Task<TItem> PumpAsync(ActorInvoker invoker, CancellationToken token)
    {
        var index = 0;
        await foreach (var item in (await invoker.InvokeStream(call, token)).WithCancellation(token))
        {
            if (index++ < Items.Count)
                continue;
            // Cancelled, or its actor died: nobody reads on, and the token may be told later than the ref.
            if (IsReady)
                break;
            var reference = new ObjectRef<TItem>(cluster, cluster.NextId());
            reference.TrySetResult(item);
            await Items.AddAsync(reference);
        }

        return default!;
    }
}
