using System.Collections.Concurrent;
using Serve.Runtime.Objects;
using Serve.Runtime.Serialization;
using Serve.Runtime.Tasks;
using Serve.Runtime.Workers;
using Serve.Runtime.Wire;

namespace Serve.Runtime.Sessions;

/// <summary>
/// The head's end of its session with one worker: sends runs, and puts into effect what the worker says, in order. Its tables are written by
/// whoever sends and by its reading loop.
/// </summary>
internal sealed class HeadSession : IDisposable
{
    private readonly Worker worker;
    private readonly FrameStream stream;
    private readonly FramePump pump;
    private readonly HeadRequests requests;
    private readonly ConcurrentDictionary<long, SentRun> sent = new();
    private readonly FunctionNumbers functions;
    private readonly Dictionary<long, (RefWait? Wait, SentRun Run)> waits = [];
    private readonly CancellationTokenSource gone = new();
    private volatile bool lost;

    public HeadSession(Worker worker, FrameStream stream, Hello hello, HeadRequests requests)
    {
        this.worker = worker;
        this.requests = requests;
        this.stream = stream;
        pump = new(stream);
        functions = new(pump);
        Values = new(requests.Codec, new HeadRefs(requests.Cluster, Lent));
        pump.Send(new() { Hello = hello });
        _ = ReadAsync();
    }

    public Worker Worker => worker;

    /// <summary>Whether its worker can no longer be told anything.</summary>
    public bool IsBroken => lost || pump.IsClosed;

    /// <summary>Whether the cluster itself has its worker killed: what is on it is not to blame.</summary>
    public bool Killed { get; set; }

    public LentRefs Lent { get; } = new();

    public SessionValues Values { get; }

    /// <summary>Fires when its worker is gone.</summary>
    public CancellationToken Gone => gone.Token;

    /// <summary>The streams that its worker reads; each takes itself out at its end.</summary>
    public ConcurrentDictionary<long, ItemWindow> Streams { get; } = [];

    /// <summary>Memory that the worker is about to open.</summary>
    public SuppliedMemory Supplied { get; } = new();

    /// <summary>The functions that its worker's tasks start, by their numbers; written by its reading loop.</summary>
    public Dictionary<int, Lazy<NestedFunction>> Functions { get; } = [];

    /// <summary>Runs that are there and not answered.</summary>
    public int Count => sent.Count;

    public ICollection<SentRun> Runs => sent.Values;

    public SentRun? Find(long id) => sent.GetValueOrDefault(id);

    /// <summary>Sends a run; its attempt is told when that fails.</summary>
    public void Start(SentRun run)
    {
        // Its code would run up to where it looks at its token.
        if (run.Attempt.Stop.IsCancellationRequested)
        {
            Refuse(run, SentRun.CancelledEarly(run.Attempt));
            return;
        }

        Frame frame;
        try
        {
            frame = new() { Run = RunFrames.Of(run, functions, Values) };
        }
        catch (ObjectPendingException pending)
        {
            run.Listener.OnEnded(run, TimeSpan.Zero);
            run.End();
            RetryWhenReady.Start(run.Attempt, pending.Again);
            return;
        }
        catch (Exception thrown)
        {
            Refuse(run, thrown is ServeException ? thrown : new NotSerializableException($"{run.Attempt.Name}: {thrown.Message}", thrown));
            return;
        }

        sent[run.Id] = run;
        run.SentTo(this);
        if (!pump.Send(frame) || lost)
            Lose(run);
        else if (run.Attempt.Stop.IsCancellationRequested)
            Cancel(run);
    }

    public void Cancel(SentRun run) => pump.Send(new() { Cancel = run.Id });

    public void Send(Frame frame) => pump.Send(frame);

    /// <summary>Asks for the runs that have not started; each that comes back is told to its listener.</summary>
    public void Recall() => pump.Send(new() { Recall = new() });

    public void Dispose()
    {
        pump.Close(discard: true);
        stream.Dispose();
    }

    /// <summary>It is not sent.</summary>
    private static void Refuse(SentRun run, Exception failure)
    {
        run.Listener.OnEnded(run, TimeSpan.Zero);
        run.End();
        run.Attempt.Failed(failure, isSystem: false);
    }

    private async Task ReadAsync()
    {
        try
        {
            while (await stream.ReadAsync().ConfigureAwait(false) is { } message)
            {
                foreach (var frame in message.Frames_)
                    Receive(frame);
            }
        }
        catch (Exception thrown) when (thrown is IOException or ObjectDisposedException or Google.Protobuf.InvalidProtocolBufferException or ServeException)
        {
            // Its end is told below, whatever broke first.
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
                if (sent.TryGetValue(frame.Item.Id, out var streaming))
                    _ = TakeItemAsync(streaming, frame.Item);
                break;
            case Frame.BodyOneofCase.Recalled:
                foreach (var id in frame.Recalled.Ids)
                {
                    if (sent.TryRemove(id, out var returned))
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
                if (waits.TryGetValue(frame.WaitStuck, out var stuck) && stuck.Wait is { } unclear)
                    unclear.Flow = RefWait.Code;
                break;
            case Frame.BodyOneofCase.Release:
                Lent.Remove(frame.Release);
                break;
            default:
                requests.Receive(this, frame);
                break;
        }
    }

    private void OnDone(Done done)
    {
        if (!sent.TryGetValue(done.Id, out var run))
            return;
        var attempt = run.Attempt;
        var took = TimeSpan.FromMicroseconds(done.Microseconds);
        EncodedObject? result;
        try
        {
            result = done.Value is { } value ? Take(value, done.Id, attempt.Reference.ValueType) : null;
        }
        catch (ServeException thrown) when (thrown is not ObjectLostException)
        {
            Fail(run, thrown, took);
            return;
        }

        if (!TryEnd(run, took))
            return;
        if (done.Error is { } error)
            attempt.Failed(WireErrors.FromWire(error), isSystem: false);
        else if (result is not null)
            attempt.Succeeded(result);
        else
            attempt.Completed();
    }

    /// <summary>Takes a value over; the worker keeps memory that it shares until it is told that this is done.</summary>
    /// <exception cref="ObjectLostException">Its memory is gone, and so is the worker: the session ends, and what is on it is lost with it.</exception>
    /// <exception cref="ServeException">It cannot be kept here.</exception>
    public EncodedObject Take(Value value, long id, Type declared)
    {
        try
        {
            return Values.Keep(value, declared);
        }
        finally
        {
            if (SessionValues.IsShared(value))
                pump.Send(new() { Taken = id });
        }
    }

    private async Task TakeItemAsync(SentRun run, Item item)
    {
        try
        {
            await run.Attempt.ItemAsync(Take(item.Value, item.Id, run.Attempt.Reference.ValueType)).ConfigureAwait(false);
            pump.Send(new() { ItemTaken = new() { Id = item.Id } });
        }
        catch (ServeException thrown) when (thrown is not ObjectLostException)
        {
            Cancel(run);
            Fail(run, thrown, TimeSpan.Zero);
        }
    }

    /// <summary>What a run has sent cannot be kept here.</summary>
    private void Fail(SentRun run, Exception failure, TimeSpan took)
    {
        if (TryEnd(run, took))
            run.Attempt.Failed(failure, isSystem: false);
    }

    private bool TryEnd(SentRun run, TimeSpan took)
    {
        if (!sent.TryRemove(new(run.Id, run)))
            return false;
        run.End();
        run.Listener.OnEnded(run, took);
        return true;
    }

    private void BeginWait(Waits frame)
    {
        if (!sent.TryGetValue(frame.Task, out var run))
            return;
        RefWait? wait = null;
        if (run.Attempt.Context is { } context)
        {
            ObjectRef[] lent = [.. frame.Ids.Select(Lent.Find).OfType<ObjectRef>()];
            IReadOnlyList<ObjectRef> reserved = frame.Group.Length == 0 ? [] : requests.Cluster.Placement.TryFind(frame.Group)?.Reserved ?? [];
            var flow = frame.HoldsThread ? RefWait.Thread : frame.HoldsTurn ? RefWait.Turn : null;
            wait = context.BeginWait(new(context, [.. lent, .. reserved], frame.Count - (frame.Ids.Count - lent.Length) + reserved.Count, flow) { UntilFault = frame.UntilFault, Begun = frame.Begun });
        }

        waits[frame.Number] = (wait, run);
        run.Waits++;
        run.Listener.OnWaiting(run);
    }

    private void EndWait(WaitEnd frame)
    {
        if (!waits.Remove(frame.Number, out var ended))
            return;
        ended.Wait?.End(Going.On);

        // Code that it has left behind may wait still when it is over, and even when it runs again.
        if (!sent.TryGetValue(frame.Task, out var run) || run != ended.Run)
            return;
        run.Waits--;
        run.Listener.OnWaiting(run);
    }

    private async Task EndAsync()
    {
        lost = true;
        gone.Cancel();
        pump.Close(discard: true);
        var reason = await worker.SeeEndAsync().ConfigureAwait(false);
        Lent.Close();
        Supplied.Clear();

        // What is run again elsewhere does not wait any more.
        foreach (var (wait, _) in waits.Values)
            wait?.End(Going.On);
        waits.Clear();
        foreach (var run in sent.Values)
            Lose(run, reason);
        stream.Dispose();
    }

    private void Lose(SentRun run, string? reason = null)
    {
        // Whoever takes it out of the table tells of it; before the worker's end is known that is the reading loop's.
        if (reason is null && !worker.Ended.Task.IsCompleted)
            return;
        if (!sent.TryRemove(new(run.Id, run)))
            return;
        run.End();
        run.Listener.OnLost(run, reason ?? worker.Ended.Task.Result);
    }
}
