using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using Serve.Runtime.Execution;

namespace Serve.Runtime.Turns;

/// <summary>
/// One turn at a time: whoever holds the claim runs the actor, on its caller's thread when it is free and the caller may, else on a visit.
/// Continuations and calls of the mailbox take turns.
/// </summary>
internal sealed partial class TurnBasedScheduler : MailboxTurnScheduler
{
    /// <summary>How many turns a visit runs before it looks whether others should be let by.</summary>
    private const int TurnsPerLook = 32;

    /// <summary>So many short turns in a row, and a waiting thread may help.</summary>
    private const int QuickTurns = 64;

    /// <summary>How many more count, and what one slow visit takes away: a thread that lost its processor for once is no sign of slow code.</summary>
    private const int MostQuickTurns = 256;
    private const int SlowVisit = 96;

    private const int HelpLooks = 50;
    private const int HelpSpins = 5;
    private static readonly long QuickTicks = Stopwatch.Frequency / 50_000;
    private static ExecutionContext? _clean;

    private readonly ConcurrentQueue<QueuedTurnCallback> _queue = new();
    private readonly TurnSynchronizationContext _context;
    private readonly TurnSynchronizationContext _blockingContext;
    private readonly ILogger _logger;
    private int _queued;
    private int _quickTurns;
    private PaddedMailboxLink _current;

    public TurnBasedScheduler(ILogger logger, Action<IThreadPoolWorkItem>? threads = null)
        : base(threads)
    {
        this._logger = logger;
        _context = new TurnSynchronizationContext(this, blocking: false);
        _blockingContext = new TurnSynchronizationContext(this, blocking: true);
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

        // A task that completes under a foreign synchronization context never runs its awaiter inline; a bare value task source would.
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

    /// <summary>Runs a callback as a turn of its own, later.</summary>
    public void Enqueue(QueuedTurnCallback turn)
    {
        // Queued before it is counted: a count never promises a turn that is not there yet.
        _queue.Enqueue(turn);
        Interlocked.Increment(ref _queued);
        Wake();
    }

    /// <summary>Whether its turns have been so short lately that a thread which would wait for one may as well run it.</summary>
    public bool IsQuick => Volatile.Read(ref _quickTurns) >= QuickTurns;

    /// <summary>Runs turns on this thread until a call has ended, if the actor is free: for a thread that would only wait for it. Gives up soon.</summary>
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
        // A thread that runs nothing but this has none of a caller's values in its execution context.
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
            if (Volatile.Read(ref _queued) != 0 && _queue.TryDequeue(out var turn))
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

            // After each continuation one call, after each call one continuation: neither starves the other.
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

            // What a turn put into its execution context is not the next one's business.
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

    /// <summary>Runs a turn on a dedicated thread, which holds the claim meanwhile.</summary>
    private void RunDedicated(QueuedTurnCallback turn) => DedicatedThreadPool.Blocking.Start(new BlockingTurn(this, turn));

    private void RunDedicated(IMailboxCall call) => DedicatedThreadPool.Blocking.Start(new BlockingCall(this, call));

    private void Run(in QueuedTurnCallback turn)
    {
        var outer = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(turn.Blocking ? _blockingContext : _context);
        try
        {
            turn.Invoke();
        }
        catch (Exception thrown)
        {
            // Only what nobody awaits arrives here. The default, ending the process, would take the other actors along.
            LogUnobserved(_logger, thrown);
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

    [LoggerMessage(Level = LogLevel.Error, Message = "User code threw where nobody awaits it (async void or a posted callback). The actor lives on.")]
    private static partial void LogUnobserved(ILogger logger, Exception thrown);

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
}
