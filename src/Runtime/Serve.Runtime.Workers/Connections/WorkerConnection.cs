using System.Collections.Concurrent;
using Serve.Runtime.Actors;
using Serve.Runtime.Execution;
using Serve.Runtime.Objects;
using Serve.Runtime.Serialization;
using Serve.Runtime.Tasks;
using Serve.Runtime.Wire;
using Serve.Runtime.Workers.Transport;

namespace Serve.Runtime.Workers.Connections;

/// <summary>
/// The driver's end of the connection to one worker: sends attempts and processes the worker's frames in order. Its tables are written by the
/// sending threads and by the reading loop.
/// </summary>
internal sealed class WorkerConnection : IActorWorker, IDisposable
{
    private static readonly TimeSpan ExitDelay = TimeSpan.FromSeconds(2);

    private readonly FrameStream _stream;
    private readonly OutboundFrameQueue _pump;
    private readonly WorkerRequestHandler _requests;
    private readonly ConcurrentDictionary<long, DispatchedTask> _sent = new();
    private readonly FunctionNumberTable _functions;
    private readonly Dictionary<long, (ObjectRefWait? Wait, DispatchedTask Run)> _waits = [];
    private readonly CancellationTokenSource _gone = new();
    private volatile bool _lost;

    public WorkerConnection(IWorkerLease lease, FrameStream stream, WorkerRequestHandler requests)
    {
        Lease = lease;
        _requests = requests;
        _stream = stream;
        _pump = new(stream);
        _functions = new(_pump);
        Values = new(requests.Codec, new DriverReferenceResolver(requests.Cluster, Lent));
        _pump.Send(new() { Hello = requests.Hello() });
        _ = ReadAsync();
    }

    /// <summary>The worker, which may run on another node.</summary>
    public IWorkerLease Lease { get; }

    string IActorWorker.WorkerId => Lease.WorkerId;

    int IActorWorker.Pid => Lease.ProcessId;

    string? IActorWorker.ExitReason => Lease.Exited is { IsCompletedSuccessfully: true } exited ? exited.Result : null;

    Task<string> IActorWorker.Exited => Lease.Exited;

    /// <summary>Whether frames can no longer be sent.</summary>
    public bool IsBroken => _lost || _pump.IsClosed;

    /// <summary>Whether the cluster itself killed the worker, so that the attempts on it are not the cause.</summary>
    public bool IsKilledByCluster { get; set; }

    public LentObjects Lent { get; } = new();

    public ConnectionValueCodec Values { get; }

    /// <summary>Canceled when the connection has ended.</summary>
    public CancellationToken Disconnected => _gone.Token;

    /// <summary>Windows of the streams that the worker reads; each removes itself at its end.</summary>
    public ConcurrentDictionary<long, StreamItemWindow> Streams { get; } = [];

    /// <summary>Shared memory that the worker is about to open.</summary>
    public PinnedObjectTransfers Supplied { get; } = new();

    /// <summary>Functions that code in the worker starts, by number; written by the reading loop.</summary>
    public Dictionary<int, Lazy<NestedRemoteFunction>> Functions { get; } = [];

    /// <summary>Number of attempts without a reply.</summary>
    public int Count => _sent.Count;

    public ICollection<DispatchedTask> Runs => _sent.Values;

    public DispatchedTask? Find(long id) => _sent.GetValueOrDefault(id);

    /// <summary>Sends an attempt; the attempt is notified if that fails.</summary>
    public void Start(DispatchedTask run)
    {
        // Its code would run until it checks its token.
        if (run.Attempt.StopToken.IsCancellationRequested)
        {
            Refuse(run, DispatchedTask.CanceledBeforeStart(run.Attempt));
            return;
        }

        Frame frame;
        try
        {
            frame = new() { Run = RunFrameFactory.Of(run, _functions, Values) };
        }
        catch (ObjectRecomputingException pending)
        {
            run.Listener.OnEnded(run, TimeSpan.Zero);
            run.Complete();
            ArgumentRecoveryRetry.Start(run.Attempt, pending.Recomputed);
            return;
        }
        catch (Exception thrown)
        {
            Refuse(run, thrown is ServeException ? thrown : new NotSerializableException($"{run.Attempt.Name}: {thrown.Message}", thrown));
            return;
        }

        _sent[run.Id] = run;
        run.AssignTo(this);
        if (!SendInOrder(run.Attempt, frame) || _lost)
            ReportLost(run);
        else if (run.Attempt.StopToken.IsCancellationRequested)
            Cancel(run);
    }

    public void Cancel(DispatchedTask run) => _pump.Send(new() { Cancel = run.Id });

    public void Send(Frame frame) => _pump.Send(frame);

    /// <summary>Recalls the attempts that have not started; the listener is notified of each that is returned.</summary>
    public void Recall() => _pump.Send(new() { Recall = new() });

    public void Dispose()
    {
        _pump.Close(discard: true);
        _stream.Dispose();
    }

    void IActorWorker.Define(ActorId id, Type type, ResolvedActorOptions options) => _pump.Send(new() { Actor = ActorFrameMapper.ToWire(id, type, options) });

    void IActorWorker.Start(IActorCallAttempt attempt) => Start(new(attempt, ActorCallListener.Instance));

    void IActorWorker.Kill(string reason) => Lease.Kill(reason);

    Task IActorWorker.ReleaseAsync() => Lease.DisposeAsync().AsTask();

    /// <summary>Calls wait for capacity on the thread of their actor's mailbox, which keeps those behind them unserialized. The number of tasks in flight is limited, and their sender may be a reading loop.</summary>
    private bool SendInOrder(ITaskAttempt attempt, Frame frame) => attempt is IActorCallAttempt and not ActorLifecycleCommand ? _pump.SendOrWait(frame) : _pump.Send(frame);

    /// <summary>Fails an attempt that is not sent.</summary>
    private static void Refuse(DispatchedTask run, Exception failure)
    {
        run.Listener.OnEnded(run, TimeSpan.Zero);
        run.Complete();
        run.Attempt.ReportFailure(failure, isSystem: false);
    }

    private async Task ReadAsync()
    {
        try
        {
            while (await _stream.ReadAsync().ConfigureAwait(false) is { } message)
            {
                foreach (var frame in message.Frames_)
                    Receive(frame);
            }
        }
        catch (Exception thrown) when (thrown is IOException or ObjectDisposedException or Google.Protobuf.InvalidProtocolBufferException or ServeException)
        {
            // Reported below as the end of the connection, whatever broke first.
        }

        await EndAsync().ConfigureAwait(false);
    }

    private void Receive(Frame frame)
    {
        switch (frame.BodyCase)
        {
            case Frame.BodyOneofCase.Done:
                OnDone(frame.Done);
                break;
            case Frame.BodyOneofCase.Item:
                if (_sent.TryGetValue(frame.Item.Id, out var streaming))
                    _ = ForwardItemAsync(streaming, frame.Item);
                break;
            case Frame.BodyOneofCase.Recalled:
                foreach (var id in frame.Recalled.Ids)
                {
                    if (_sent.TryRemove(id, out var returned))
                        returned.Listener.OnReturned(returned);
                }

                break;
            case Frame.BodyOneofCase.Waits:
                BeginWait(frame.Waits);
                break;
            case Frame.BodyOneofCase.WaitEnd:
                EndWait(frame.WaitEnd);
                break;
            case Frame.BodyOneofCase.WaitStuck:
                if (_waits.TryGetValue(frame.WaitStuck, out var stuck) && stuck.Wait is { } unclear)
                    unclear.Flow = ObjectRefWait.Code;
                break;
            case Frame.BodyOneofCase.Release:
                Lent.Remove(frame.Release);
                break;
            default:
                _requests.Receive(this, frame);
                break;
        }
    }

    private void OnDone(Done done)
    {
        if (!_sent.TryGetValue(done.Id, out var run))
            return;
        var attempt = run.Attempt;
        var took = TimeSpan.FromMicroseconds(done.Microseconds);
        EncodedObject? result;
        try
        {
            result = done.Value is { } value ? ImportValue(value, done.Id, attempt.Reference.ValueType) : null;
        }
        catch (ServeException thrown) when (thrown is not ObjectLostException)
        {
            Fail(run, thrown, took);
            return;
        }

        if (!TryEnd(run, took))
            return;
        if (done.Error is { } error)
            attempt.ReportFailure(Values.Read(error), isSystem: false);
        else if (result is not null)
            attempt.ReportResult(result);
        else
            attempt.ReportStreamEnd();
    }

    /// <summary>Imports a value; the worker keeps shared memory until the import is confirmed.</summary>
    /// <exception cref="ObjectLostException">Its memory no longer exists, because the worker has exited: the connection ends, and its attempts are lost with it.</exception>
    /// <exception cref="ServeException">The value cannot be imported.</exception>
    public EncodedObject ImportValue(Value value, long id, Type declared)
    {
        try
        {
            return Values.Keep(value, declared);
        }
        finally
        {
            if (ConnectionValueCodec.IsShared(value))
                _pump.Send(new() { Taken = id });
        }
    }

    private async Task ForwardItemAsync(DispatchedTask run, Item item)
    {
        try
        {
            await run.Attempt.ReportItemAsync(ImportValue(item.Value, item.Id, run.Attempt.Reference.ValueType)).ConfigureAwait(false);
            _pump.Send(new() { ItemTaken = new() { Id = item.Id } });
        }
        catch (ServeException thrown) when (thrown is not ObjectLostException)
        {
            Cancel(run);
            Fail(run, thrown, TimeSpan.Zero);
        }
    }

    /// <summary>Fails an attempt whose value cannot be imported.</summary>
    private void Fail(DispatchedTask run, Exception failure, TimeSpan took)
    {
        if (TryEnd(run, took))
            run.Attempt.ReportFailure(failure, isSystem: false);
    }

    private bool TryEnd(DispatchedTask run, TimeSpan took)
    {
        if (!_sent.TryRemove(new(run.Id, run)))
            return false;
        run.Complete();
        run.Listener.OnEnded(run, took);
        return true;
    }

    private void BeginWait(Waits frame)
    {
        if (!_sent.TryGetValue(frame.Task, out var run))
            return;
        ObjectRefWait? wait = null;
        if (run.Attempt.Context is { } context)
        {
            ObjectRef[] lent = [.. frame.Ids.Select(Lent.Find).OfType<ObjectRef>()];
            var flow = frame.HoldsThread ? ObjectRefWait.Thread : frame.HoldsTurn ? ObjectRefWait.Turn : frame.HoldsCode ? ObjectRefWait.Code : null;
            wait = context.BeginWait(new(context, lent, frame.Count - (frame.Ids.Count - lent.Length), flow) { UntilFault = frame.UntilFault, Begun = frame.Begun });
        }

        _waits[frame.Number] = (wait, run);
        run.Waits++;
        run.Listener.OnWaiting(run);
    }

    private void EndWait(WaitEnd frame)
    {
        if (!_waits.Remove(frame.Number, out var ended))
            return;
        ended.Wait?.End(NoOpResumable.On);

        // Code that an attempt left behind may still wait after its end, even during the next attempt.
        if (!_sent.TryGetValue(frame.Task, out var run) || run != ended.Run)
            return;
        run.Waits--;
        run.Listener.OnWaiting(run);
    }

    private async Task EndAsync()
    {
        _lost = true;
        _gone.Cancel();
        _pump.Close(discard: true);
        var reason = await WaitForExitAsync().ConfigureAwait(false);
        Lent.Close();
        Supplied.Clear();

        // Attempts that are retried elsewhere no longer wait.
        foreach (var (wait, _) in _waits.Values)
            wait?.End(NoOpResumable.On);
        _waits.Clear();
        foreach (var run in _sent.Values)
            ReportLost(run, reason);
        _stream.Dispose();
    }

    /// <summary>Waits for the exit of the worker; one that does not exit soon although its connection broke is killed.</summary>
    private async Task<string> WaitForExitAsync()
    {
        await ((Task)Lease.Exited).WaitAsync(ExitDelay).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!Lease.Exited.IsCompleted)
            Lease.Kill("The connection to the worker broke, and it was killed.");
        return await Lease.Exited.ConfigureAwait(false);
    }

    private void ReportLost(DispatchedTask run, string? reason = null)
    {
        // The thread that removes it from the table reports it; before the exit reason is known, that is the reading loop.
        if (reason is null && !Lease.Exited.IsCompleted)
            return;
        if (!_sent.TryRemove(new(run.Id, run)))
            return;
        run.Complete();
        run.Listener.OnLost(run, reason ?? Lease.Exited.Result);
    }

    /// <summary>Notifies attempts of actor calls that their worker exited. Holds no state.</summary>
    private sealed class ActorCallListener : IDispatchedTaskListener
    {
        public static ActorCallListener Instance { get; } = new();

        public void OnEnded(DispatchedTask run, TimeSpan took)
        {
        }

        public void OnReturned(DispatchedTask run) => OnLost(run, "The worker returned the call.");

        public void OnLost(DispatchedTask run, string reason) => ((IActorCallAttempt)run.Attempt).OnLost(reason);

        public void OnWaiting(DispatchedTask run)
        {
        }
    }
}
