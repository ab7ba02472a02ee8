using System.Threading.Channels;
using Serve.Calls;
using Serve.Runtime.Clusters;

namespace Serve.Runtime.CoreActors;

/// <summary>A call that streams; its ref is that of the stream's end. Its items wait here until they are read, and the actor's code waits when they are too many.</summary>
internal sealed class ActorStreamCall<TItem> : ActorCallRef<TItem>
{
    private const int DefaultBuffer = 16;

    private readonly MethodCall<IAsyncEnumerable<TItem>> call;
    private readonly HeadCluster cluster;
    private readonly Channel<ObjectRef<TItem>> items;
    private int taken;

    public ActorStreamCall(CoreActor actor, HeadCluster cluster, MethodPlan plan, CallExtras? extras, MethodCall<IAsyncEnumerable<TItem>> call)
        : base(actor, cluster.NextId(), plan, extras)
    {
        this.call = call;
        this.cluster = cluster;
        items = Channel.CreateBounded<ObjectRef<TItem>>(new BoundedChannelOptions(Math.Max(1, extras?.Options?.MaxBufferedItems ?? DefaultBuffer)) { SingleWriter = true });
        TryOnReady(new Closing(this));
    }

    public override string Method => call.Method;

    public override bool IsStream => true;

    public ChannelReader<ObjectRef<TItem>> Items => items.Reader;

    public override object?[] GetArguments() => call.GetArguments();

    public override async ValueTask TakeItemAsync(StoredObject item, int index)
    {
        // What an earlier attempt has brought already is not told twice.
        if (index < taken)
            return;
        var reference = new ObjectRef<TItem>(cluster, cluster.NextId());
        reference.TrySetStored(item);
        await OfferAsync(reference).ConfigureAwait(false);
    }

    protected override void CollectRefs(ICollection<ObjectRef> references) => call.CollectRefs(references);

    protected override ValueTask<TItem> Invoke(ActorInvoker invoker, CancellationToken token) => new(PumpAsync(invoker, token));

    // Without ConfigureAwait: it runs in the actor's turns, and so does what it asks of the user's stream.
    private async Task<TItem> PumpAsync(ActorInvoker invoker, CancellationToken token)
    {
        var index = 0;
        await foreach (var item in (await invoker.InvokeStream(call, token)).WithCancellation(token))
        {
            if (index++ < taken)
                continue;
            var reference = new ObjectRef<TItem>(cluster, cluster.NextId());
            reference.TrySetResult(item);
            await OfferAsync(reference);
        }

        return default!;
    }

    private async ValueTask OfferAsync(ObjectRef<TItem> reference)
    {
        taken++;
        try
        {
            if (!items.Writer.TryWrite(reference))
                await items.Writer.WriteAsync(reference);
        }
        catch (ChannelClosedException)
        {
            // It is over: cancelled, or its actor died. The token says so to the code.
        }
    }

    private sealed class Closing(ActorStreamCall<TItem> stream) : RefContinuation
    {
        internal override void Run() => stream.items.Writer.TryComplete(stream.Error);
    }
}
