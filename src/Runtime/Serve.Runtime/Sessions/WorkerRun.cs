using System.Diagnostics;
using Serve.Runtime.Tasks;
using Serve.Runtime.Turns;
using Serve.Runtime.Wire;

namespace Serve.Runtime.Sessions;

/// <summary>A task that a worker was given, from its arrival to its answer, of which there is exactly one. Written by the thread that runs it and by whoever cancels it.</summary>
internal class WorkerRun(WorkerSession session, Run message)
{
    private const int Queued = 0;
    private const int Running = 1;
    private const int Answered = 2;

    private readonly Lock sync = new();
    private CancellationTokenSource? stop;
    private bool cancelled;
    private int state;
    private int waits;
    private long started;

    public Run Message => message;

    protected WorkerSession Session => session;

    public ObjectId Id => new(message.Id);

    /// <summary>Whether it runs, or waits for something else than its start.</summary>
    public bool IsRunning => Volatile.Read(ref state) == Running;

    /// <summary>Whose turns its code takes; null for a task.</summary>
    public virtual MailboxTurns? Turns => null;

    /// <summary>Fires when the head cancels it.</summary>
    protected CancellationToken Token
    {
        get
        {
            lock (sync)
            {
                stop ??= new();
                if (cancelled)
                    stop.Cancel();
                return stop.Token;
            }
        }
    }

    /// <summary>Cancels it: at once when it has not started, by its token when it runs.</summary>
    public void Cancel()
    {
        CancellationTokenSource? fired;
        lock (sync)
        {
            cancelled = true;
            fired = stop;
        }

        if (Interlocked.CompareExchange(ref state, Answered, Queued) == Queued)
            session.Answer(this, new() { Id = message.Id, Error = WireErrors.ToWire(new OperationCanceledException($"{message.Name} was cancelled before it started.")) });
        else
            fired?.Cancel();
    }

    /// <summary>Runs its code on this thread, up to where it awaits.</summary>
    /// <returns>Whether it is over; otherwise <see cref="RunThreads.Leave"/> is called when it is.</returns>
    public bool Execute()
    {
        if (!TryBegin())
            return true;
        var context = new WorkerContext(session, this);
        var before = TaskContext.SetOnThread(context);
        try
        {
            var function = session.Functions.Find(message.Function);
            var arguments = function.Read(message, session.Values);
            if (message.Stream || function.IsAsync)
            {
                var running = RunAsync(function, arguments, context);
                if (running.IsCompleted)
                    return true;
                context.GoesOn(running);
                _ = LeaveAsync(running);
                return false;
            }

            var result = function.Method.InvokeAsync(null, arguments, function.TakesToken ? Token : CancellationToken.None);
            Succeed(function, result.IsCompleted ? result.Result : result.AsTask().GetAwaiter().GetResult());
        }
        catch (Exception thrown)
        {
            Fail(thrown);
        }
        finally
        {
            TaskContext.SetOnThread(before);
        }

        return true;
    }

    /// <summary>Whether it had not started; it never will here.</summary>
    public bool TryGiveBack() => Interlocked.CompareExchange(ref state, Answered, Queued) == Queued;

    /// <summary>Whether it may start now.</summary>
    protected bool TryBegin()
    {
        if (Interlocked.CompareExchange(ref state, Running, Queued) != Queued)
            return false;
        started = Stopwatch.GetTimestamp();
        return true;
    }

    /// <summary>It waits for objects from here on.</summary>
    public virtual void BeginWait()
    {
        if (Interlocked.Increment(ref waits) == 1)
            session.Threads.Leave();
    }

    public virtual void EndWait()
    {
        if (Interlocked.Decrement(ref waits) == 0)
            session.Threads.Enter();
    }

    private async Task LeaveAsync(Task running)
    {
        await running.ConfigureAwait(false);
        session.Threads.Leave();
    }

    private async Task RunAsync(SessionFunction function, object?[] arguments, TaskContext context)
    {
        TaskContext.SetFlowing(context);
        try
        {
            var result = await function.Method.InvokeAsync(null, arguments, Token).ConfigureAwait(false);
            if (message.Stream)
                await StreamAsync(function, result).ConfigureAwait(false);
            else
                Succeed(function, result);
        }
        catch (Exception thrown)
        {
            Fail(thrown);
        }
    }

    protected async Task StreamAsync(SessionFunction function, object? stream)
    {
        if (function.Method.Items is not { } items || stream is null)
            throw new BadInputException($"{message.Name} does not return a stream.");
        using var room = session.Window(this);
        await foreach (var item in InTurns(items(stream)).WithCancellation(Token).ConfigureAwait(false))
        {
            await room.WaitAsync(Token).ConfigureAwait(false);
            session.Send(new() { Item = new() { Id = message.Id, Value = session.Write(item, function.ResultType, message.Id, $"an item of {message.Name}") } });
        }

        Answer(new() { Id = message.Id });
    }

    /// <summary>A stream whose steps run where its code belongs.</summary>
    protected virtual IAsyncEnumerable<object?> InTurns(IAsyncEnumerable<object?> items) => items;

    protected void Succeed(SessionFunction function, object? result) =>
        Answer(new() { Id = message.Id, Value = session.Write(result, function.ResultType, message.Id, $"the result of {message.Name}") });

    protected void Fail(Exception thrown)
    {
        var failure = thrown switch
        {
            ServeException => thrown,
            OperationCanceledException when cancelled => new OperationCanceledException($"{message.Name} was cancelled."),
            _ => new UserCodeException(thrown),
        };
        Answer(new() { Id = message.Id, Error = WireErrors.ToWire(failure) });
    }

    protected void Answer(Done done)
    {
        Volatile.Write(ref state, Answered);
        done.Microseconds = (int)Math.Min(int.MaxValue, Stopwatch.GetElapsedTime(started).TotalMicroseconds);
        session.Answer(this, done);
    }
}
