using System.Threading.Channels;

namespace Serve.Runtime.CoreActors;

/// <summary>The items of a streaming call as its caller reads them, once.</summary>
internal sealed class ActorItemStream<TItem>(ActorStreamCall<TItem> call) : ObjectRefStream<TItem>
{
    private int read;

    public override ObjectRef Completion => call;

    public override IAsyncEnumerator<ObjectRef<TItem>> GetAsyncEnumerator(CancellationToken cancellationToken = default) =>
        Interlocked.Exchange(ref read, 1) == 0
            ? new Enumerator(call, cancellationToken)
            : throw new InvalidOperationException("The stream has been read already; keep its refs to read them again.");

    private sealed class Enumerator(ActorStreamCall<TItem> call, CancellationToken cancellationToken) : IAsyncEnumerator<ObjectRef<TItem>>
    {
        public ObjectRef<TItem> Current { get; private set; } = null!;

        public async ValueTask<bool> MoveNextAsync()
        {
            try
            {
                Current = await call.Items.ReadAsync(cancellationToken).ConfigureAwait(false);
                return true;
            }
            catch (ChannelClosedException) when (call.Error is null)
            {
                return false;
            }
            catch (ChannelClosedException)
            {
                _ = call.Result;
                throw;
            }
        }

        public ValueTask DisposeAsync()
        {
            // Leaving the loop early ends the call.
            call.Cancel();
            return ValueTask.CompletedTask;
        }
    }
}
