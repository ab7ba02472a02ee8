using System.Collections.Concurrent;
using Serve.Runtime.Tasks;
using Serve.Runtime.Wire;
using Serve.Runtime.Workers.Transport;

namespace Serve.Runtime.Workers.Connections;

/// <summary>Streams that code in this worker reads, by the ids of their completions. The table is written by the code that starts a stream and by the reading thread.</summary>
internal sealed class RemoteStreamTable(DriverConnection session)
{
    private readonly ConcurrentDictionary<long, IRemoteItemReader> _readers = new();

    /// <summary>Creates a stream before it is started; its completion has the id.</summary>
    public ObjectRefStream<TItem> Begin<TItem>(int? maxBufferedItems)
    {
        var completion = session.Cluster.NewRef<TItem>();
        var reader = new RemoteItemReader<TItem>(session, completion, StreamBufferSizes.ForReaderInWorker(maxBufferedItems).Window);
        _readers[completion.Id.Number] = reader;
        return reader.Items;
    }

    /// <summary>Removes a stream that could not be started.</summary>
    public void Forget(ObjectId id) => _readers.TryRemove(id.Number, out _);

    public void Receive(StreamItem message)
    {
        if (message.Item != 0)
        {
            var hold = session.Borrowed.Add(new(message.Item));
            if (_readers.TryGetValue(message.Id, out var reader))
                reader.Add(hold);
        }
        else if (_readers.TryRemove(message.Id, out var ended))
        {
            ended.End(message.Error is { } error ? session.Values.Read(error) : null);
        }
    }

    private interface IRemoteItemReader
    {
        void Add(BorrowedObjectHold item);

        void End(Exception? failure);
    }

    private sealed class RemoteItemReader<TItem>(DriverConnection session, RemoteObjectRef<TItem> completion, int window) : IRemoteItemReader
    {
        public BufferedObjectRefStream<TItem> Items { get; } = new(completion, window, () => session.Cluster.Cancel(completion));

        public void Add(BorrowedObjectHold item)
        {
            var taken = Items.AddAsync(new RemoteObjectRef<TItem>(session, item));
            if (taken.IsCompletedSuccessfully)
                Tell();
            else
                _ = TellAsync(taken);
        }

        public void End(Exception? failure)
        {
            if (failure is null)
                completion.TrySetResult(default!);
            else
                completion.TrySetException(failure);
        }

        private async Task TellAsync(Task taken)
        {
            await taken.ConfigureAwait(false);
            Tell();
        }

        private void Tell() => session.Send(new() { StreamTaken = completion.Id.Number });
    }
}
