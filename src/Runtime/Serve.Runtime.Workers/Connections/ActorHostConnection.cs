using System.Collections.Concurrent;
using Google.Protobuf;
using Serve.Calls;
using Serve.Runtime.Methods;
using Serve.Runtime.Serialization;
using Serve.Runtime.Wire;
using Serve.Runtime.Workers.Transport;

namespace Serve.Runtime.Workers.Connections;

/// <summary>
/// The serving end of a <see cref="ProcessConnection"/>: runs the calls that another process makes to actors of this one, and answers a node's queries.
/// The table of running calls is written by the reading loop and by each call when it ends.
/// </summary>
internal sealed class ActorHostConnection
{
    private readonly ProcessActorHost _host;
    private readonly NodeQueryHandler? _queries;
    private readonly OutboundFrameQueue _outbound;
    private readonly ConcurrentDictionary<long, ServedRequest> _running = new();

    private ActorHostConnection(FrameStream stream, ProcessActorHost host, NodeQueryHandler? queries)
    {
        _host = host;
        _queries = queries;
        _outbound = new(stream);
    }

    /// <summary>Serves a connection until it ends; the calls on it are canceled then.</summary>
    /// <param name="stream">The connection.</param>
    /// <param name="host">The actors of this process.</param>
    /// <param name="queries">Answers a node's queries; null in a process that obeys no node.</param>
    public static async Task ServeAsync(FrameStream stream, ProcessActorHost host, NodeQueryHandler? queries)
    {
        var connection = new ActorHostConnection(stream, host, queries);
        try
        {
            while (await stream.ReadAsync().ConfigureAwait(false) is { } message)
            {
                foreach (var frame in message.Frames_)
                    connection.Receive(frame);
            }
        }
        finally
        {
            connection._outbound.Close(discard: true);
            foreach (var running in connection._running.Values)
                running.Cancel();
        }
    }

    private void Receive(Frame frame)
    {
        switch (frame.BodyCase)
        {
            case Frame.BodyOneofCase.Run:
                Start(new ServedCall(this, frame.Run));
                break;
            case Frame.BodyOneofCase.Question:
                Start(new ServedQuery(this, frame.Question));
                break;
            case Frame.BodyOneofCase.Cancel:
                if (_running.TryGetValue(frame.Cancel, out var canceled))
                    canceled.Cancel();
                break;
            case Frame.BodyOneofCase.ItemTaken:
                if (_running.TryGetValue(frame.ItemTaken.Id, out var streaming))
                    streaming.OnItemsConsumed(Math.Max(1, frame.ItemTaken.Count));
                break;
        }
    }

    private void Start(ServedRequest request)
    {
        _running[request.Id] = request;

        // User code may block: it must not run on the reading thread.
        ThreadPool.UnsafeQueueUserWorkItem(request, preferLocal: false);
    }

    /// <summary>One request from its arrival to its reply, of which there is exactly one.</summary>
#pragma warning disable CA1001 // Neither source nor window has a timer or a wait handle.
    private abstract class ServedRequest(ActorHostConnection connection, long id, int window) : IThreadPoolWorkItem
#pragma warning restore CA1001
    {
        private readonly CancellationTokenSource _canceled = new();
        private readonly SemaphoreSlim? _window = window > 0 ? new(window) : null;

        public long Id => id;

        protected bool IsStream => _window is not null;

        protected ActorHostConnection Connection => connection;

        // Callbacks of user code must not run on the reading thread.
        public void Cancel() => _ = _canceled.CancelAsync();

        public void OnItemsConsumed(int count) => _window?.Release(count);

        void IThreadPoolWorkItem.Execute() => _ = RunAsync();

        protected abstract ValueTask<Value?> RunAsync(CancellationToken cancellationToken);

        protected abstract IAsyncEnumerable<Value> StreamAsync(CancellationToken cancellationToken);

        private async Task RunAsync()
        {
            var done = new Done { Id = id };
            try
            {
                if (IsStream)
                    await SendItemsAsync().ConfigureAwait(false);
                else
                    done.Value = await RunAsync(_canceled.Token).ConfigureAwait(false);
            }
            catch (Exception thrown)
            {
                done.Error = WireExceptionConverter.ToWire(CallErrorOf(thrown));
            }

            connection._running.TryRemove(id, out _);
            await connection._outbound.SendAsync(new() { Done = done }, CancellationToken.None).ConfigureAwait(false);
        }

        private async Task SendItemsAsync()
        {
            await foreach (var item in StreamAsync(_canceled.Token).ConfigureAwait(false))
            {
                await _window!.WaitAsync(_canceled.Token).ConfigureAwait(false);
                await connection._outbound.SendAsync(new() { Item = new() { Id = id, Value = item } }, _canceled.Token).ConfigureAwait(false);
            }
        }

        private static Exception CallErrorOf(Exception thrown) => thrown switch
        {
            ServeException or CallRefusedException or ActorCreationException => thrown,
            OperationCanceledException => new ReplicaDiedException("The call was canceled in the process that ran it."),
            _ => new UserCodeException(thrown),
        };
    }

    /// <summary>A call of a method of an actor of this process. Its arguments are one JSON array.</summary>
    private sealed class ServedCall(ActorHostConnection connection, Run run) : ServedRequest(connection, run.Id, run.Window)
    {
        protected override async ValueTask<Value?> RunAsync(CancellationToken cancellationToken)
        {
            var call = new JsonMethodCall<JsonResultText>(run.Method, run.Arguments[0].Inline.Memory);
            return ValueOf(await FindActor().InvokeAsync(call, CreateContext(), cancellationToken).ConfigureAwait(false));
        }

        protected override async IAsyncEnumerable<Value> StreamAsync([System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
        {
            var call = new JsonMethodCall<IAsyncEnumerable<JsonResultText>>(run.Method, run.Arguments[0].Inline.Memory);
            await foreach (var item in FindActor().StreamAsync(call, CreateContext(), cancellationToken).ConfigureAwait(false))
                yield return ValueOf(item) ?? new();
        }

        private HostedActor FindActor() => Connection._host.Find(new(run.ActorId)) ?? throw new CallRefusedException(run.ActorId, gone: true);

        private CallContext CreateContext()
        {
            if (run is { HasRequestId: false, HasModelId: false, Priority: 0, TimeoutUs: 0 })
                return CallContext.None;
            var urgency = new CallUrgency(0, run.Priority);
            return new()
            {
                RequestId = run.HasRequestId ? run.RequestId : null,
                MultiplexedModelId = run.HasModelId ? run.ModelId : null,
                Urgency = run.TimeoutUs == 0 ? urgency : urgency.Within(TimeSpan.FromMicroseconds(run.TimeoutUs), TimeProvider.System),
            };
        }

        // No code writes to the bytes again, so they are not copied.
        private static Value? ValueOf(JsonResultText text) =>
            text.Utf8.IsEmpty ? null : new() { Format = (int)EncodedValueFormat.Json, Inline = UnsafeByteOperations.UnsafeWrap(text.Utf8) };
    }

    /// <summary>A query of the node.</summary>
    private sealed class ServedQuery(ActorHostConnection connection, Question query) : ServedRequest(connection, query.Number, query.Window)
    {
        private NodeQueryHandler Handler => Connection._queries ?? throw new BadInputException("This process accepts calls only, no queries of a node.");

        protected override async ValueTask<Value?> RunAsync(CancellationToken cancellationToken) =>
            ValueOf(await Handler.AnswerAsync(query.Kind, query.Body.Memory, query.Payload.Memory, cancellationToken).ConfigureAwait(false));

        protected override async IAsyncEnumerable<Value> StreamAsync([System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
        {
            await foreach (var answer in Handler.WatchReportsAsync(cancellationToken).ConfigureAwait(false))
                yield return ValueOf(answer);
        }

        private static Value ValueOf(ReadOnlyMemory<byte> json) => new() { Format = (int)EncodedValueFormat.Json, Inline = UnsafeByteOperations.UnsafeWrap(json) };
    }
}
