using Serve.Runtime.Wire;
using Serve.Runtime.Workers.Transport;

namespace Serve.Runtime.Workers.Connections;

/// <summary>Forwards a stream of the driver to the worker that reads it: items are sent as references, as many as fit the worker's window. Holds no state.</summary>
internal static class LentStreamForwarder
{
    public static void Forward<TItem>(WorkerConnection session, Submit message, ObjectRefStream<TItem> stream)
    {
        var id = message.Id;
        _ = ForwardAsync(session, id, session.Streams[id] = new(Math.Max(1, message.Window), () => session.Streams.TryRemove(id, out _)), stream);
    }

    /// <summary>Notifies the worker that a stream has ended or could not start.</summary>
    public static void End(WorkerConnection session, long id, Exception? failure) =>
        session.Send(new() { StreamItem = new() { Id = id, Error = failure is null ? null : session.Values.Write(failure) } });

    private static async Task ForwardAsync<TItem>(WorkerConnection session, long id, StreamItemWindow window, ObjectRefStream<TItem> stream)
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        using var room = window;
        try
        {
            // Leaving the loop early cancels the stream: the worker has exited.
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
            // The reader has exited.
        }
        catch (Exception thrown)
        {
            End(session, id, thrown);
        }
    }
}
