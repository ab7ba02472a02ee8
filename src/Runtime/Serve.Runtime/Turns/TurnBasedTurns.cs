using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;

namespace Serve.Runtime.Turns;

/// <summary>
/// One turn at a time: whoever holds the claim runs the actor, on its caller's thread when it is free and the caller may, else on a visit.
/// Continuations and calls of the mailbox take turns.
/// </summary>
internal sealed partial class TurnBasedTurns : MailboxTurns
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
    private static ExecutionContext? clean;

    private readonly ConcurrentQueue<QueuedTurn> queue = new();
    private readonly TurnContext context;
    private readonly TurnContext blockingContext;
    private readonly ILogger logger;
    private int queued;
    private int quickTurns;
    private MailboxEnd current;

    public TurnBasedTurns(ILogger logger, Action<IThreadPoolWorkItem>? threads = null)
        : base(threads)
    {
        this.logger = logger;
        context = new TurnContext(this, blocking: false);
        blockingContext = new TurnContext(this, blocking: true);
    }

    public override IMailboxCall? Current => Volatile.Read(ref current.Call);

    protected override bool HasWork => Volatile.Read(ref queued) != 0 || HasCalls;

    public override ValueTask<TResult> RunAsync<TState, TResult>(TState state, Func<TState, ValueTask<TResult>> turn, bool blocking = false)
    {
        if (blocking || !TryEnter())
            return QueueAsync(state, turn, blocking);
        ValueTask<TResult> result;
        var outer = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(context);
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
        SynchronizationContext.SetSynchronizationContext(context);
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
    public void Enqueue(QueuedTurn turn)
    {
        // Queued before it is counted: a count never promises a turn that is not there yet.
        queue.Enqueue(turn);
        Interlocked.Increment(ref queued);
        Wake();
    }

    /// <summary>Whether its turns have been so short lately that a thread which would wait for one may as well run it.</summary>
    public bool IsQuick => Volatile.Read(ref quickTurns) >= QuickTurns;

    /// <summary>Runs turns on this thread until a call has ended, if the actor is free: for a thread that would only wait for it. Gives up soon.</summary>
    public void Help(ObjectRef awaited)
    {
        if (Volatile.Read(ref clean) is not { } empty)
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
        if (clean is null)
            Volatile.Write(ref clean, ExecutionContext.Capture());
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
            if (Volatile.Read(ref queued) != 0 && queue.TryDequeue(out var turn))
            {
                Interlocked.Decrement(ref queued);
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

                SynchronizationContext.SetSynchronizationContext(context);
                Volatile.Write(ref current.Call, call);
                call.Run();
                ran = true;
            }

            // What a turn put into its execution context is not the next one's business.
            if (flow is not null && !ReferenceEquals(ExecutionContext.Capture(), flow))
                ExecutionContext.Restore(flow);
        }

        Volatile.Write(ref current.Call, null);
        SynchronizationContext.SetSynchronizationContext(outer);
        if (HasOwnThreads)
            Volatile.Write(ref quickTurns, Stopwatch.GetTimestamp() - start < QuickTicks * turns ? Math.Min(quickTurns + turns, MostQuickTurns) : Math.Max(quickTurns - SlowVisit, 0));
        Release();
    }

    private bool TryEnter() =>
        !HasOwnThreads
        && IsFree
        && Volatile.Read(ref queued) == 0
        && RuntimeHelpers.TryEnsureSufficientExecutionStack()
        && TryClaimFree();

    /// <summary>Runs a turn on a dedicated thread, which holds the claim meanwhile.</summary>
    private void RunDedicated(QueuedTurn turn) => DedicatedThreads.Shared.Run(static state =>
    {
        var (self, turn) = ((TurnBasedTurns, QueuedTurn))state!;
        self.Run(turn);
        self.Release();
    }, (this, turn));

    private void RunDedicated(IMailboxCall call) => DedicatedThreads.Shared.Run(static state =>
    {
        var (self, call) = ((TurnBasedTurns, IMailboxCall))state!;
        SynchronizationContext.SetSynchronizationContext(self.blockingContext);
        Volatile.Write(ref self.current.Call, call);
        call.Run();
        Volatile.Write(ref self.current.Call, null);
        SynchronizationContext.SetSynchronizationContext(null);
        self.Release();
    }, (this, call));

    private void Run(in QueuedTurn turn)
    {
        var outer = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(turn.Blocking ? blockingContext : context);
        try
        {
            turn.Invoke();
        }
        catch (Exception thrown)
        {
            // Only what nobody awaits arrives here. The default, ending the process, would take the other actors along.
            LogUnobserved(logger, thrown);
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(outer);
        }
    }

    private async ValueTask<TResult> QueueAsync<TState, TResult>(TState state, Func<TState, ValueTask<TResult>> turn, bool blocking)
    {
        await new TurnAwaiter(this, blocking);
        return await turn(state).ConfigureAwait(false);
    }

    private async ValueTask QueueAsync<TState>(TState state, Func<TState, ValueTask> turn, bool blocking)
    {
        await new TurnAwaiter(this, blocking);
        await turn(state).ConfigureAwait(false);
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "User code threw where nobody awaits it (async void or a posted callback). The actor lives on.")]
    private static partial void LogUnobserved(ILogger logger, Exception thrown);
}
