using System.Collections.Concurrent;
using Serve.Calls;
using Serve.Runtime.Objects;
using Serve.Runtime.Placement;
using Serve.Runtime.Serialization;
using Serve.Runtime.Serialization.Graphs;
using Serve.Runtime.Turns;
using Serve.Runtime.Wire;
using Serve.Runtime.Workers.Processes;
using Serve.Runtime.Workers.Transport;

namespace Serve.Runtime.Workers.Connections;

/// <summary>
/// The worker's end of the connection to its driver: processes the driver's frames in order and sends the operations of the worker's code. Its tables are
/// written by the reading thread and by the threads of tasks.
/// </summary>
[System.Diagnostics.CodeAnalysis.SuppressMessage("Design", "CA1001", Justification = "The worker's cluster is the driver's: it owns nothing to dispose.")]
internal sealed class DriverConnection(OutboundFrameQueue pump, WorkerClusterSource arrival)
{
    private readonly ConcurrentDictionary<long, TaskInvocation> _runs = new();
    private readonly ConcurrentDictionary<long, StreamItemWindow> _windows = new();
    private readonly ConcurrentDictionary<long, IPendingObjectRequest> _demands = new();
    private readonly ConcurrentDictionary<long, TaskCompletionSource<byte[]>> _questions = new();
    private readonly ConcurrentDictionary<long, ConcurrentQueue<StoredObject>> _shared = new();
    private WorkerCluster? _cluster;
    private ConnectionValueCodec? _values;
    private long _lastNumber;

    public PeerAssemblyLoader Assemblies { get; } = new();

    public WorkerFunctionTable Functions => field ??= new(Assemblies);

    public WorkerTaskThreads Threads { get; } = new();

    /// <summary>The actors that this worker hosts.</summary>
    public WorkerActorRegistry Actors => field ??= new(this);

    public BorrowedObjects Borrowed { get; } = new(pump);

    public NestedTaskSubmitter TaskSubmitter => field ??= new(this, new(pump));

    /// <summary>Actor operations of code in this worker.</summary>
    public NestedActorSubmitter ActorSubmitter => field ??= new(this);

    /// <summary>The streams that code in this worker reads.</summary>
    public RemoteStreamTable Streams => field ??= new(this);

    /// <summary>Checks the arguments of calls; null if they are not checked.</summary>
    public ValueCheck? Check { get; private set; }

    public ConnectionValueCodec Values => _values ?? throw new InvalidOperationException("The driver has not sent its hello frame.");

    public WorkerCluster Cluster => _cluster ?? throw new InvalidOperationException("The driver has not sent its hello frame.");

    /// <summary>Sends a reply or a notification, whose number the protocol bounds.</summary>
    public bool Send(Frame frame) => pump.Send(frame);

    /// <summary>Sends what user code produces: blocks while the driver does not keep up.</summary>
    public bool SendOrWait(Frame frame) => pump.SendOrWait(frame);

    /// <summary>Serves a driver until it disconnects.</summary>
    public static async Task RunAsync(FrameStream stream, WorkerClusterSource arrival)
    {
        var pump = new OutboundFrameQueue(stream);
        var session = new DriverConnection(pump, arrival);
        try
        {
            while (await stream.ReadAsync().ConfigureAwait(false) is { } message)
            {
                foreach (var frame in message.Frames_)
                    session.Receive(frame);
            }
        }
        catch (IOException)
        {
            // The driver has exited or no longer needs this worker; the process is about to be stopped in both cases.
        }
        finally
        {
            pump.Close(discard: true);
            session.End();
        }
    }

    public void Receive(Frame frame)
    {
        switch (frame.BodyCase)
        {
            case Frame.BodyOneofCase.Hello:
                Begin(frame.Hello);
                break;
            case Frame.BodyOneofCase.Function:
                Functions.Define(frame.Function);
                break;
            case Frame.BodyOneofCase.Actor:
                Actors.Define(frame.Actor);
                break;
            case Frame.BodyOneofCase.Run when frame.Run.ActorId.Length > 0:
                var call = Actors.RunOf(frame.Run);
                _runs[frame.Run.Id] = call;
                call.Post();
                break;
            case Frame.BodyOneofCase.Run:
                var run = new TaskInvocation(this, frame.Run);
                _runs[frame.Run.Id] = run;
                Threads.Enqueue(run);
                break;
            case Frame.BodyOneofCase.Cancel:
                if (_runs.TryGetValue(frame.Cancel, out var cancelled))
                    cancelled.Cancel();
                break;
            case Frame.BodyOneofCase.Recall:
                Recall();
                break;
            case Frame.BodyOneofCase.Ready:
                if (_demands.TryRemove(frame.Ready.Number, out var demand))
                    demand.Settle(frame.Ready);
                if (frame.Ready.Value is { } supplied && ConnectionValueCodec.IsShared(supplied))
                    Send(new() { Taken = frame.Ready.Number });
                break;
            case Frame.BodyOneofCase.ItemTaken:
                if (_windows.TryGetValue(frame.ItemTaken.Id, out var window))
                    window.OnItemConsumed();
                break;
            case Frame.BodyOneofCase.Taken:
                if (_shared.TryGetValue(frame.Taken, out var keeps) && keeps.TryDequeue(out var handedOver))
                {
                    handedOver.Free("it was handed over");
                    if (keeps.IsEmpty)
                        _shared.TryRemove(frame.Taken, out _);
                }

                break;
            case Frame.BodyOneofCase.StreamItem:
                Streams.Receive(frame.StreamItem);
                break;
            case Frame.BodyOneofCase.Answer:
                Settle(frame.Answer);
                break;
        }
    }

    /// <summary>Sends the reply of an invocation that has ended.</summary>
    public void Answer(TaskInvocation run, Done done)
    {
        _runs.TryRemove(new(run.Message.Id, run));
        Send(new() { Done = done });
    }

    /// <summary>Assigns the number of a query or notification.</summary>
    public long NextNumber() => Interlocked.Increment(ref _lastNumber);

    public TaskInvocation? FindRun(ObjectId id) => _runs.GetValueOrDefault(id.Number);

    /// <summary>Ids of the running calls of an actor's turns.</summary>
    public IEnumerable<long> Begun(MailboxTurnScheduler turns) => _runs.Values.Where(run => run.Turns == turns && run.IsRunning).Select(run => run.Message.Id);

    public StreamItemWindow Window(TaskInvocation run)
    {
        var id = run.Message.Id;
        return _windows[id] = new(Math.Max(1, run.Message.Window), () => _windows.TryRemove(id, out _));
    }

    /// <summary>Requests an object from the driver.</summary>
    public void Demand(IPendingObjectRequest demand)
    {
        var number = NextNumber();
        _demands[number] = demand;
        Send(new() { Demand = new() { Number = number, Id = demand.Id.Number } });
    }

    /// <summary>Serializes a value that is sent with an id. Its shared memory is kept until the driver has taken it over.</summary>
    public Value Write(object? value, Type declared, long id, string subject)
    {
        var encoded = Values.Codec.Encode(declared, value, subject);
        var written = Values.Write(encoded, declared);
        if (ConnectionValueCodec.IsShared(written))
            _shared.GetOrAdd(id, static _ => new()).Enqueue(encoded);
        return written;
    }

    /// <summary>Sends a query to the driver.</summary>
    public Task<byte[]> QueryAsync(string kind, ReadOnlyMemory<byte> body = default) =>
        QueryAsync(number => new() { Question = new() { Number = number, Kind = kind, Body = Google.Protobuf.UnsafeByteOperations.UnsafeWrap(body) } });

    /// <summary>Sends a frame that the driver answers by the number that it is created with.</summary>
    public async Task<byte[]> QueryAsync(Func<long, Frame> make)
    {
        var number = NextNumber();
        var answer = new TaskCompletionSource<byte[]>(TaskCreationOptions.RunContinuationsAsynchronously);
        _questions[number] = answer;
        if (!await pump.SendAsync(make(number), CancellationToken.None).ConfigureAwait(false))
            throw DriverDisconnected();
        return await answer.Task.ConfigureAwait(false);
    }

    /// <summary>Fails everything that waits for the driver, after it has disconnected.</summary>
    public void End()
    {
        _cluster?.End();
        foreach (var asked in _questions.Values)
            asked.TrySetException(DriverDisconnected());
        foreach (var run in _runs.Values)
            run.Cancel();
    }

    /// <summary>Serializes an argument of a task or call that the driver starts.</summary>
    public Value WriteArgument(object? argument, Type declared, long id, string subject) => argument is ObjectRefArgument { Reference: var reference }
        ? new() { ObjectId = Values.Export(reference) }
        : Write(argument, declared, id, subject);

    private static ObjectDisposedException DriverDisconnected() => Serve.Cluster.CreateDisposedException("The driver of the cluster has exited.");

    private void Begin(Hello hello)
    {
        var groups = RuntimeTypeForm.PlacementGroups(group => new RemotePlacementGroup(this, group.Id, group.Name, group.Strategy, group.Bundles));
        ValueSerializer[] serializers = [.. hello.Serializers.Select(MakeSerializer)];
        if (hello.CheckValues)
            Check = new(new(serializers, groups));
        _values = new(new(serializers, groups) { Segments = new WorkerSharedMemory() }, new WorkerReferenceResolver(this));
        _cluster = new(this, hello.FirstId);
        if (hello.Print)
        {
            Console.SetOut(TextWriter.Synchronized(new TaskOutputWriter(Console.Out, this, isError: false, arrival.ForwardsAllOutput)));
            Console.SetError(TextWriter.Synchronized(new TaskOutputWriter(Console.Error, this, isError: true, arrival.ForwardsAllOutput)));
        }

        arrival.SetCluster(_cluster);
    }

    private static ValueSerializer MakeSerializer(string type) => (ValueSerializer)Activator.CreateInstance(
        ValueTypeTraits.Find(type) ?? throw new NotSerializableException($"Type {type}, configured in ClusterOptions.Serializers, was not found in this worker."))!;

    private void Recall()
    {
        var answer = new Recalled();
        foreach (var run in Threads.Recall())
        {
            if (run.TryReturn())
            {
                _runs.TryRemove(new(run.Message.Id, run));
                answer.Ids.Add(run.Message.Id);
            }
        }

        Send(new() { Recalled = answer });
    }

    private void Settle(Answer answer)
    {
        if (!_questions.TryRemove(answer.Number, out var asked))
            return;
        if (answer.Error is { } error)
            asked.TrySetException(Values.Read(error));
        else
            asked.TrySetResult(answer.Body.ToByteArray());
    }
}
