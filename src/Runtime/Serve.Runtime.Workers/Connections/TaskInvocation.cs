using System.Diagnostics;
using Serve.Runtime.Serialization;
using Serve.Runtime.Tasks;
using Serve.Runtime.Turns;
using Serve.Runtime.Wire;
using Serve.Runtime.Workers.Processes;
using Serve.Runtime.Workers.Transport;

namespace Serve.Runtime.Workers.Connections;

/// <summary>Execution of a task in a worker, from its arrival to its reply, of which there is exactly one. Written by the thread that runs it and by the one that cancels it.</summary>
internal class TaskInvocation(DriverConnection session, Run message)
{
    private const int Queued = 0;
    private const int Running = 1;
    private const int Answered = 2;

    private static readonly TimeSpan ReaderPatience = TimeSpan.FromMilliseconds(20);

    private readonly Lock _sync = new();
    private CancellationTokenSource? _stop;
    private bool _cancelled;
    private int _state;
    private int _waits;
    private long _started;
    private WatchedArguments? _watched;

    public Run Message => message;

    protected DriverConnection Session => session;

    public ObjectId Id => new(message.Id);

    /// <summary>Whether it has started and not ended.</summary>
    public bool IsRunning => Volatile.Read(ref _state) == Running;

    /// <summary>The turns that its code runs in; null for a task.</summary>
    public virtual MailboxTurnScheduler? Turns => null;

    /// <summary>Canceled when the driver cancels the task.</summary>
    protected CancellationToken Token
    {
        get
        {
            lock (_sync)
            {
                _stop ??= new();
                if (_cancelled)
                    _stop.Cancel();
                return _stop.Token;
            }
        }
    }

    /// <summary>Cancels the task: immediately if it has not started, through its token if it runs.</summary>
    public void Cancel()
    {
        CancellationTokenSource? fired;
        lock (_sync)
        {
            _cancelled = true;
            fired = _stop;
        }

        if (Interlocked.CompareExchange(ref _state, Answered, Queued) == Queued)
            session.Answer(this, new() { Id = message.Id, Error = session.Values.Write(new OperationCanceledException($"{message.Name} was canceled before it started.")) });
        else
            fired?.Cancel();
    }

    /// <summary>Runs its code on this thread until its first incomplete await.</summary>
    /// <returns>Whether it has ended; otherwise <see cref="WorkerTaskThreads.ReleaseSlot"/> is called when it is.</returns>
    public bool Execute()
    {
        if (!TryBegin())
            return true;
        var context = new WorkerTaskContext(session, this);
        var before = TaskContext.SetOnThread(context);
        try
        {
            var function = session.Functions.Find(message.Function);
            var arguments = ReadArguments(function);
            if (message.Stream || function.IsAsync)
            {
                var running = RunAsync(function, arguments, context);
                if (running.IsCompleted)
                    return true;
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

    /// <summary>Returns it unstarted to the driver, if it has not started.</summary>
    public bool TryReturn() => Interlocked.CompareExchange(ref _state, Answered, Queued) == Queued;

    /// <summary>Whether the caller may start it.</summary>
    protected bool TryBegin()
    {
        if (Interlocked.CompareExchange(ref _state, Running, Queued) != Queued)
            return false;
        _started = Stopwatch.GetTimestamp();
        return true;
    }

    /// <summary>Begins a wait for objects.</summary>
    public virtual void BeginWait()
    {
        if (Interlocked.Increment(ref _waits) == 1)
            session.Threads.ReleaseSlot();
    }

    public virtual void EndWait()
    {
        if (Interlocked.Decrement(ref _waits) == 0)
            session.Threads.ReacquireSlot();
    }

    private async Task LeaveAsync(Task running)
    {
        await running.ConfigureAwait(false);
        session.Threads.ReleaseSlot();
    }

    private async Task RunAsync(BoundRemoteFunction function, object?[] arguments, WorkerTaskContext context)
    {
        TaskContext.SetFlowing(context);
        try
        {
            var result = await function.Method.InvokeAsync(null, arguments, Token, context).ConfigureAwait(false);
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

    protected async Task StreamAsync(BoundRemoteFunction function, object? stream)
    {
        if (function.Method.Items is not { } items || stream is null)
            throw new BadInputException($"{message.Name} does not return a stream.");
        using var window = session.Window(this);
        var steps = InTurns(items(stream)).GetAsyncEnumerator(Token);
        await using (steps.ConfigureAwait(false))
        {
            while (true)
            {
                // Before the item is made: code whose reader does not read is not ahead of it by more than the window.
                await WaitForReaderAsync(window).ConfigureAwait(false);
                if (!await steps.MoveNextAsync().ConfigureAwait(false))
                    break;
                session.Send(new() { Item = new() { Id = message.Id, Value = session.Write(steps.Current, function.ResultType, message.Id, $"an item of {message.Name}") } });
            }
        }

        Answer(new() { Id = message.Id });
    }

    /// <summary>Waits until another item may be sent. A task releases its CPU while its reader does not read, which may be indefinitely; a reader that keeps up is not worth the messages.</summary>
    private async Task WaitForReaderAsync(StreamItemWindow window)
    {
        var slot = window.WaitAsync(Token);
        if (slot.IsCompletedSuccessfully)
            return;
        if (Turns is null)
        {
            await slot.WaitAsync(ReaderPatience, TimeProvider.System, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await CpuReleasingWait.WaitAsync(slot, Token).ConfigureAwait(false);
        }

        await slot.ConfigureAwait(false);
    }

    /// <summary>Wraps a stream so that its steps run in the turns of its code.</summary>
    protected virtual IAsyncEnumerable<object?> InTurns(IAsyncEnumerable<object?> items) => items;

    protected object?[] ReadArguments(BoundRemoteFunction function)
    {
        var arguments = function.Read(message, session.Values);
        _watched = session.Check?.Begin(message.Name, arguments);
        return arguments;
    }

    protected void Succeed(BoundRemoteFunction function, object? result)
    {
        _watched?.RequireUnmodified();
        Answer(new() { Id = message.Id, Value = session.Write(result, function.ResultType, message.Id, $"the result of {message.Name}") });
    }

    protected void Fail(Exception thrown)
    {
        var failure = thrown switch
        {
            ServeException => thrown,
            OperationCanceledException when _cancelled => new OperationCanceledException($"{message.Name} was canceled."),
            _ => new UserCodeException(thrown),
        };
        Answer(new() { Id = message.Id, Error = session.Values.Write(failure) });
    }

    protected void Answer(Done done)
    {
        Volatile.Write(ref _state, Answered);
        done.Microseconds = (int)Math.Min(int.MaxValue, Stopwatch.GetElapsedTime(_started).TotalMicroseconds);
        session.Answer(this, done);
    }
}
