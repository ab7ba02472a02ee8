using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using Serve.Runtime.Execution;

namespace Serve.Runtime.Turns;

/// <summary>
/// Runs one turn at a time. A turn runs on its caller's thread if the actor is free and allows it, otherwise in a visit. Continuations and mailbox calls alternate.
/// </summary>
internal sealed partial class TurnBasedScheduler : MailboxTurnScheduler
{
    /// <summary>Number of turns between two checks whether the visit has used up its time slice.</summary>
    private const int TurnsPerLook = 32;

    /// <summary>Number of consecutive short turns after which a waiting thread may run turns itself.</summary>
    private const int QuickTurns = 64;

    /// <summary>Upper bound of that count, and the penalty of one slow visit: a single preempted thread does not mean slow code.</summary>
    private const int MostQuickTurns = 256;
    private const int SlowVisit = 96;

    private const int HelpLooks = 50;
    private const int HelpSpins = 5;
    private static readonly long QuickTicks = Stopwatch.Frequency / 50_000;
    private static ExecutionContext? _clean;

    private readonly ConcurrentQueue<QueuedTurnCallback> _queue = new();

    // Runs before the queue; counted with it.
    private readonly ConcurrentQueue<QueuedTurnCallback> _urgent = new();
    private readonly TurnSynchronizationContext _context;
    private readonly TurnSynchronizationContext _blockingContext;
    private readonly TurnSynchronizationContext _urgentContext;
    private readonly ILogger _logger;
    private int _queued;
    private int _quickTurns;
    private PaddedMailboxLink _current;

    public TurnBasedScheduler(ILogger logger, Action<IThreadPoolWorkItem>? threads = null)
        : base(threads)
    {
        _logger = logger;
        _context = new TurnSynchronizationContext(this, blocking: false);
        _blockingContext = new TurnSynchronizationContext(this, blocking: true);
        _urgentContext = new TurnSynchronizationContext(this, blocking: false, urgent: true);
    }

    public override IMailboxCall? Current => Volatile.Read(ref _current.Call);

    protected override bool HasWork => Volatile.Read(ref _queued) != 0 || HasCalls;

    public override ValueTask<TResult> RunAsync<TState, TResult>(TState state, Func<TState, ValueTask<TResult>> turn, bool blocking = false)
    {
        if (blocking || !TryEnter())
            return QueueAsync(state, turn, blocking);
        ValueTask<TResult> result;
        var outer = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(_context);
        try
        {
            result = turn(state);
        }
        catch (Exception thrown)
        {
            result = ValueTask.FromException<TResult>(thrown);
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(outer);
            Release();
        }

        // A task that completes under a foreign synchronization context never runs its awaiter inline; a plain value task source would.
        return result.IsCompleted ? result : new(result.AsTask());
    }

    public override ValueTask RunAsync<TState>(TState state, Func<TState, ValueTask> turn, bool blocking = false)
    {
        if (blocking || !TryEnter())
            return QueueAsync(state, turn, blocking);
        ValueTask result;
        var outer = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(_context);
        try
        {
            result = turn(state);
        }
        catch (Exception thrown)
        {
            result = ValueTask.FromException(thrown);
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(outer);
            Release();
        }

        return result.IsCompleted ? result : new(result.AsTask());
    }

    public override async ValueTask RunUrgentAsync<TState>(TState state, Func<TState, ValueTask> turn)
    {
        await new TurnEntryAwaiter(this, blocking: false, urgent: true);
        await turn(state).ConfigureAwait(false);
    }

    /// <summary>Queues a callback to run as a separate turn.</summary>
    public void Enqueue(QueuedTurnCallback turn)
    {
        // Enqueued before it is counted, so that the count never exceeds the queue.
        (turn.Urgent ? _urgent : _queue).Enqueue(turn);
        Interlocked.Increment(ref _queued);
        Wake();
    }

    /// <summary>Whether recent turns were so short that a waiting thread should run turns itself instead of blocking.</summary>
    public bool IsQuick => Volatile.Read(ref _quickTurns) >= QuickTurns;

    /// <summary>Runs turns on the calling thread until the awaited object is ready, if the actor is free. Returns after a short time at the latest.</summary>
    public void RunTurnsUntil(ObjectRef awaited)
    {
        if (Volatile.Read(ref _clean) is not { } empty)
            return;
        for (var i = 0; i < HelpLooks && !awaited.IsReady; i++)
        {
            if (!HasWork || !TryClaim())
            {
                Thread.SpinWait(HelpSpins);
                continue;
            }

            var own = ExecutionContext.Capture();
            ExecutionContext.Restore(empty);
            Drain(awaited);
            if (own is not null)
                ExecutionContext.Restore(own);
        }
    }

    protected override void Visit()
    {
        // A pool thread has an execution context without values of any caller.
        if (_clean is null)
            Volatile.Write(ref _clean, ExecutionContext.Capture());
        Drain(null);
    }

    private void Drain(ObjectRef? awaited)
    {
        var began = Environment.TickCount64;
        var start = HasOwnThreads ? Stopwatch.GetTimestamp() : 0;
        Clock = start;
        var outer = SynchronizationContext.Current;
        var flow = ExecutionContext.Capture();
        var turns = 0;
        var ran = true;
        while (ran && awaited is not { IsReady: true } && (++turns % TurnsPerLook != 0 || Environment.TickCount64 == began))
        {
            ran = false;
            if (Volatile.Read(ref _queued) != 0 && (_urgent.TryDequeue(out var turn) || _queue.TryDequeue(out turn)))
            {
                Interlocked.Decrement(ref _queued);
                if (turn.Blocking)
                {
                    SynchronizationContext.SetSynchronizationContext(outer);
                    RunDedicated(turn);
                    return;
                }

                Run(turn);
                ran = true;
            }

            // One call after each continuation and one continuation after each call, so that neither starves the other.
            if (MayTake && TryTake(out var call))
            {
                if (call.IsBlocking)
                {
                    SynchronizationContext.SetSynchronizationContext(outer);
                    RunDedicated(call);
                    return;
                }

                SynchronizationContext.SetSynchronizationContext(_context);
                Volatile.Write(ref _current.Call, call);
                call.Run();
                ran = true;
            }

            // Undo changes that the turn made to the execution context.
            if (flow is not null && !ReferenceEquals(ExecutionContext.Capture(), flow))
                ExecutionContext.Restore(flow);
        }

        Volatile.Write(ref _current.Call, null);
        SynchronizationContext.SetSynchronizationContext(outer);
        if (HasOwnThreads)
            Volatile.Write(ref _quickTurns, Stopwatch.GetTimestamp() - start < QuickTicks * turns ? Math.Min(_quickTurns + turns, MostQuickTurns) : Math.Max(_quickTurns - SlowVisit, 0));
        Release();
    }

    private bool TryEnter() =>
        !HasOwnThreads
        && IsFree
        && Volatile.Read(ref _queued) == 0
        && RuntimeHelpers.TryEnsureSufficientExecutionStack()
        && TryClaimFree();

    /// <summary>Runs a turn on a dedicated thread, which takes over the claim.</summary>
    private void RunDedicated(QueuedTurnCallback turn) => DedicatedThreadPool.Blocking.Start(new BlockingTurn(this, turn));

    private void RunDedicated(IMailboxCall call) => DedicatedThreadPool.Blocking.Start(new BlockingCall(this, call));

    private void Run(in QueuedTurnCallback turn)
    {
        var outer = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(turn.Urgent ? _urgentContext : turn.Blocking ? _blockingContext : _context);
        try
        {
            turn.Invoke();
        }
        catch (Exception thrown)
        {
            // Only unobserved exceptions arrive here; the default, ending the process, would end the other actors as well.
            Log.Unobserved(_logger, thrown);
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(outer);
        }
    }

    private async ValueTask<TResult> QueueAsync<TState, TResult>(TState state, Func<TState, ValueTask<TResult>> turn, bool blocking)
    {
        await new TurnEntryAwaiter(this, blocking);
        return await turn(state).ConfigureAwait(false);
    }

    private async ValueTask QueueAsync<TState>(TState state, Func<TState, ValueTask> turn, bool blocking)
    {
        await new TurnEntryAwaiter(this, blocking);
        await turn(state).ConfigureAwait(false);
    }

    private sealed class BlockingTurn(TurnBasedScheduler owner, QueuedTurnCallback turn) : IThreadPoolWorkItem
    {
        public void Execute()
        {
            owner.Run(turn);
            owner.Release();
        }
    }

    private sealed class BlockingCall(TurnBasedScheduler owner, IMailboxCall call) : IThreadPoolWorkItem
    {
        public void Execute()
        {
            SynchronizationContext.SetSynchronizationContext(owner._blockingContext);
            Volatile.Write(ref owner._current.Call, call);
            call.Run();
            Volatile.Write(ref owner._current.Call, null);
            SynchronizationContext.SetSynchronizationContext(null);
            owner.Release();
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 1005, Level = LogLevel.Error, Message = "Unobserved exception in user code (async void or posted callback); the actor keeps running")]
        public static partial void Unobserved(ILogger logger, Exception thrown);
    }
}
