using Serve.Runtime.Wire;
using Serve.Runtime.Workers.Transport;

namespace Serve.Runtime.Workers.Connections;

/// <summary>A stream of the head that code in a worker reads: its items go there as refs, as many as the worker has room for. Its one loop is all there is of it.</summary>
internal static class LentStreamForwarder
{
    public static void Forward<TItem>(WorkerConnection session, Submit message, ObjectRefStream<TItem> stream)
    {
        var id = message.Id;
        _ = ForwardAsync(session, id, session.Streams[id] = new(Math.Max(1, message.Window), () => session.Streams.TryRemove(id, out _)), stream);
    }

    /// <summary>Tells the worker that a stream has ended, or never began.</summary>
    public static void End(WorkerConnection session, long id, Exception? failure) =>
        session.Send(new() { StreamItem = new() { Id = id, Error = failure is null ? null : WireExceptionConverter.ToWire(failure) } });

    private static async Task ForwardAsync<TItem>(WorkerConnection session, long id, StreamItemWindow window, ObjectRefStream<TItem> stream)
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        using var room = window;
        try
        {
            // Leaving before its end cancels it: the worker is gone.
            await using var items = stream.GetAsyncEnumerator(session.Disconnected);
            while (true)
            {
                await room.WaitAsync(session.Disconnected).ConfigureAwait(false);
                if (!await items.MoveNextAsync().ConfigureAwait(false))
                    break;
                session.Lent.Add(items.Current);
                session.Send(new() { StreamItem = new() { Id = id, Item = items.Current.Id.Number } });
            }

            End(session, id, null);
        }
        catch (OperationCanceledException) when (session.Disconnected.IsCancellationRequested)
        {
            // Nobody reads it any more.
        }
        catch (Exception thrown)
        {
            End(session, id, thrown);
        }
    }
}
