using System.Globalization;
using Microsoft.Extensions.Logging;
using Serve.Runtime.Workers.Connections;
using Serve.Runtime.Workers.Topics;
using Serve.Runtime.Workers.Transport;

namespace Serve.Runtime.Workers.Processes;

/// <summary>
/// The worker processes of a node. Writes the set of workers and the phase of each, under one lock:
/// <code>
/// (none)   -> Starting  Lease     the first lease of the key
/// Starting -> Running   StartAsync, when it can be called and has received every topic
/// Starting -> Ending    StartAsync failed, or the last lease was returned
/// Running  -> Ending    the last lease was returned, or the node stops
/// any      -> Ended     its process is reaped; from Running, its death is reported
/// </code>
/// A spare worker has no lease until it is leased instead of a new one. A lease is one hosted actor, existing or being created. A worker that is ending is not leased again, so the next creation starts another one.
/// </summary>
internal sealed partial class WorkerProcessPool(
    NodeRuntimeOptions options, ProcessConnectionPool connections, TopicPublicationStore board, NodeCallListener? listener, TimeProvider time, ILogger<WorkerProcessPool> logger) : IAsyncDisposable
{
    /// <summary>How many times the time limit of a start a slow process may take that still makes progress.</summary>
    private const int StartTimeoutFactor = 10;

    private static readonly TimeSpan OwnExitDelay = TimeSpan.FromSeconds(2);

    // The worker that was leased instead starts its first actor in that time, undisturbed.
    private static readonly TimeSpan SpareDelay = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan FailedSpareDelay = TimeSpan.FromSeconds(30);

    private readonly Lock _sync = new();

    // Processes that start at the same time slow each other down.
    private readonly SemaphoreSlim _startSlots = new(Math.Max(2, Environment.ProcessorCount));
    private readonly Dictionary<string, PooledWorker> _shared = new(StringComparer.Ordinal);
    private readonly HashSet<PooledWorker> _all = [];
    private readonly List<PooledWorker> _spares = [];
    private int _wantedSpares;
    private bool _isAddingSpares;
    private Action<PooledWorker, string> _onDeath = static (_, _) => { };
    private Action<PooledWorker> _onReached = static _ => { };
    private int _started;
    private bool _closed;

    public NodeRuntimeOptions Options => options;

    public TimeProvider Time => time;

    public IReadOnlyList<PooledWorker> Running
    {
        get
        {
            lock (_sync)
                return [.. _all.Where(worker => worker.Phase == WorkerPhase.Running)];
        }
    }

    /// <summary>Reachable workers, including those that are still receiving the topics.</summary>
    private IReadOnlyList<PooledWorker> Reachable
    {
        get
        {
            lock (_sync)
                return [.. _all.Where(worker => worker.Phase is WorkerPhase.Starting or WorkerPhase.Running && worker.Address is not null)];
        }
    }

    /// <summary>Sets the listener of deaths. Called outside the lock, before other waits for the exit complete.</summary>
    public void TellDeaths(Action<PooledWorker, string> listener) => _onDeath = listener;

    /// <summary>Sets the listener of workers that became reachable. Called outside the lock.</summary>
    public void TellReached(Action<PooledWorker> listener) => _onReached = listener;

    /// <summary>Leases a running worker, started if needed. Paired with one <see cref="ReleaseAsync"/>.</summary>
    public async Task<PooledWorker> LeaseAsync(WorkerPlacement placement, CancellationToken cancellationToken)
    {
        var worker = Lease(placement);
        try
        {
            await worker.Started.WaitAsync(cancellationToken);
            return worker;
        }
        catch
        {
            await ReleaseAsync(worker);
            throw;
        }
    }

    /// <summary>Returns a lease; with the last one the worker is stopped, and this completes when it is reaped.</summary>
    public async Task ReleaseAsync(PooledWorker worker)
    {
        lock (_sync)
        {
            if (--worker.Leases > 0)
                return;
            BeginEnd(worker);
        }

        await EndAsync(worker);
    }

    /// <summary>Publishes to every reachable worker.</summary>
    public Task PublishAsync(TopicPublication publication, CancellationToken cancellationToken) =>
        Task.WhenAll(Reachable.Select(worker => worker.PublishAsync(publication, cancellationToken)));

    /// <summary>Publishes to every reachable worker without waiting for any of them.</summary>
    public void Offer(TopicPublication publication)
    {
        foreach (var worker in Reachable)
            worker.Offer(publication);
    }

    /// <summary>Logs a publication that a worker has not applied.</summary>
    public void LogNotApplied(PooledWorker worker, TopicPublication publication, Exception error) => LogNotApplied(logger, error, worker.Id, publication.Topic);

    public async ValueTask DisposeAsync()
    {
        PooledWorker[] left;
        lock (_sync)
        {
            (_closed, _wantedSpares) = (true, 0);
            left = [.. _all];
            foreach (var worker in left)
                BeginEnd(worker);
        }

        await Task.WhenAll(left.Select(EndAsync));
    }

    private PooledWorker Lease(WorkerPlacement placement)
    {
        lock (_sync)
        {
            ObjectDisposedException.ThrowIf(_closed, this);
            var key = (placement as WorkerPlacement.Shared)?.Key;
            if (key is not null && _shared.TryGetValue(key, out var running))
            {
                running.Leases++;
                return running;
            }

            var spare = _spares.MaxBy(static candidate => candidate.Phase == WorkerPhase.Running);
            if (spare is not null)
                _spares.Remove(spare);
            var worker = spare ?? Add();
            (worker.Leases, worker.Key, worker.Label) = (1, key, key ?? ((WorkerPlacement.Own)placement).Label);
            if (key is not null)
                _shared.Add(key, worker);
            if (spare is not null)
            {
                LogAssigned(logger, worker.Id, worker.Label);
                AddSparesLater(SpareDelay);
            }

            return worker;
        }
    }

    // Under the lock.
    private PooledWorker Add()
    {
        var id = string.Create(CultureInfo.InvariantCulture, $"{options.NodeId}-worker-{++_started}");
        var worker = new PooledWorker(id, WorkerLogFiles.NewFile(options.WorkerLogDirectory, id, time), this, connections);
        _all.Add(worker);
        worker.Started = Task.Run(() => StartAsync(worker));
        return worker;
    }

    /// <summary>Sets how many workers are kept without a lease. Surplus ones are stopped, missing ones started.</summary>
    public void KeepSpares(int count)
    {
        List<PooledWorker> surplus = [];
        lock (_sync)
        {
            _wantedSpares = _closed ? 0 : count;
            while (_spares.Count > _wantedSpares)
            {
                surplus.Add(_spares[^1]);
                _spares.RemoveAt(_spares.Count - 1);
                BeginEnd(surplus[^1]);
            }

            if (_spares.Count < _wantedSpares)
                AddSparesLater(SpareDelay);
        }

        foreach (var worker in surplus)
            _ = EndAsync(worker);
    }

    // Under the lock.
    private void AddSparesLater(TimeSpan delay)
    {
        if (_isAddingSpares || _wantedSpares == 0)
            return;
        _isAddingSpares = true;
        _ = AddSparesAsync(delay);
    }

    private async Task AddSparesAsync(TimeSpan delay)
    {
        await Task.Delay(delay, time);
        List<PooledWorker> added = [];
        lock (_sync)
        {
            _isAddingSpares = false;
            while (!_closed && _spares.Count < _wantedSpares)
            {
                added.Add(Add());
                _spares.Add(added[^1]);
            }
        }

        foreach (var worker in added)
        {
            await worker.Started.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (worker.Started.IsFaulted)
                LogSpareFailed(logger, worker.Started.Exception);
        }
    }

    private async Task StartAsync(PooledWorker worker)
    {
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(worker.Start.Token);
        var limit = new CancellationTokenSource();
        await using var late = limit.Token.UnsafeRegister(static source => ((CancellationTokenSource)source!).Cancel(), bound);
        var hasSlot = false;
        try
        {
            if (options.WorkerCommand is not { Count: > 0 } command)
                throw new InvalidOperationException("This node was started without a worker command.");
            listener?.Start();
            await _startSlots.WaitAsync(bound.Token);
            hasSlot = true;
            WorkerLogFiles.Prepare(options.WorkerLogDirectory);
            var process = WorkerProcess.Start(command, options.WorkerEnvironment, worker.LogFile);
            worker.Process = process;
            _ = WatchAsync(worker, process);
            _ = LimitStartAsync(process, limit);
            var token = FrameSocketTransport.CreateToken();
            var ready = await process.PerformHandshakeAsync(new(worker.Id, token, worker.LogFile, !options.WorkersListen), bound.Token);
            worker.CompleteHandshake(token, ready);
            if (options.WorkersListen)
                await ReachAsync(worker, ready, bound.Token);
            lock (_sync)
            {
                if (worker.Phase != WorkerPhase.Starting)
                    throw new OperationCanceledException("The worker is no longer needed.");
                worker.Phase = WorkerPhase.Running;
            }

            LogStarted(logger, worker.Id, process.Pid, worker.Label);
            _ = PulseAsync(worker, process);
        }
        catch (Exception thrown)
        {
            lock (_sync)
                BeginEnd(worker);
            var reason = thrown is OperationCanceledException && limit.IsCancellationRequested
                ? $"The worker was not ready within {options.WorkerStartTimeout.TotalSeconds} s."
                : thrown.Message;
            // A process that closed its streams is about to exit; its own exit code explains more than a signal.
            if (thrown is IOException && worker.Process is { } leaving)
                await ((Task)leaving.Exited).WaitAsync(OwnExitDelay, time, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            worker.Process?.Kill();
            if (worker.Process is { } process)
                reason = $"{reason} {await process.Exited}";
            else
                End(worker, reason);
            throw new WorkerStartException(reason, thrown);
        }
        finally
        {
            if (hasSlot)
                _startSlots.Release();
            await limit.CancelAsync();
        }
    }

    /// <summary>Cancels the start of a process that makes no progress: see <see cref="NodeRuntimeOptions.WorkerStartTimeout"/>. Ends with the start.</summary>
    private async Task LimitStartAsync(WorkerProcess process, CancellationTokenSource limit)
    {
        var timeout = options.WorkerStartTimeout;
        var period = timeout / 4 < TimeSpan.FromSeconds(1) ? timeout / 4 : TimeSpan.FromSeconds(1);
        var (began, used, progressed) = (time.GetTimestamp(), TimeSpan.Zero, time.GetTimestamp());
        using var timer = new PeriodicTimer(period, time);
        while (await WaitAsync(timer, limit.Token))
        {
            var now = process.CpuTime;
            if (now > used)
                (used, progressed) = (now, time.GetTimestamp());
            if (now < timeout && time.GetElapsedTime(progressed) < timeout && time.GetElapsedTime(began) < timeout * StartTimeoutFactor)
                continue;
            await limit.CancelAsync();
            return;
        }
    }

    /// <summary>Starts the services of a worker that was started for tasks only, so that it can host actors.</summary>
    public async Task ListenAsync(PooledWorker worker, CancellationToken cancellationToken) =>
        await ReachAsync(worker, await worker.Process!.ListenAsync(cancellationToken), cancellationToken);

    private async Task ReachAsync(PooledWorker worker, WorkerReadyMessage ready, CancellationToken cancellationToken)
    {
        // Reachable before the topics are read, so that it also receives concurrent publications.
        lock (_sync)
            worker.SetAddress(ready);
        _onReached(worker);
        foreach (var publication in board.Latest)
            await worker.PublishAsync(publication, cancellationToken);
    }

    /// <summary>Waits for the exit of the process, whatever its cause.</summary>
    private async Task WatchAsync(PooledWorker worker, WorkerProcess process) => End(worker, await process.Exited);

    private void End(PooledWorker worker, string reason)
    {
        bool died;
        lock (_sync)
        {
            died = worker.Phase == WorkerPhase.Running;
            BeginEnd(worker);
            worker.Phase = WorkerPhase.Ended;
            _all.Remove(worker);
        }

        if (worker.Address is { } address)
            connections.Close(address);
        worker.Ended.TrySetResult(reason);
        if (!died)
            return;
        LogDied(logger, worker.Id, worker.Label, reason);
        _onDeath(worker, reason);
    }

    // Under the lock. It is not leased from here on.
    private void BeginEnd(PooledWorker worker)
    {
        if (worker.Phase is WorkerPhase.Ending or WorkerPhase.Ended)
            return;
        worker.Phase = WorkerPhase.Ending;
        if (_spares.Remove(worker))
            AddSparesLater(FailedSpareDelay);
        if (worker.Key is { } key && _shared.GetValueOrDefault(key) == worker)
            _shared.Remove(key);
    }

    private async Task EndAsync(PooledWorker worker)
    {
        await worker.Start.CancelAsync();
        await worker.Started.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (worker.Process is not { } process)
            return;
        process.RequestStop();
        try
        {
            await worker.Ended.Task.WaitAsync(options.WorkerStopTimeout, time);
        }
        catch (TimeoutException)
        {
            LogKilled(logger, worker.Id, options.WorkerStopTimeout);
            process.Kill();
            await worker.Ended.Task;
        }
    }

    /// <summary>Pings the worker until it exits; kills it after missed replies.</summary>
    private async Task PulseAsync(PooledWorker worker, WorkerProcess process)
    {
        const int Allowed = 3;
        const int AllowedStopped = 2;
        var stoppedPeriod = options.PingPeriod / 2;
        using var timer = new PeriodicTimer(options.PingPeriod, time);
        using var end = new CancellationTokenSource();
        _ = worker.Ended.Task.ContinueWith(_ => end.Cancel(), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        var missed = 0;
        while (!end.IsCancellationRequested && await WaitAsync(timer, end.Token))
        {
            using var limit = new CancellationTokenSource(options.PingTimeout, time);
            var answer = process.PingAsync(limit.Token);
            for (var stopped = 0; !answer.IsCompleted && stopped < AllowedStopped;)
            {
                await ((Task)answer).WaitAsync(stoppedPeriod, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                stopped = !answer.IsCompleted && process.IsStopped ? stopped + 1 : 0;
                if (stopped == AllowedStopped)
                    process.Kill("The worker was stopped by a signal, did not answer and was killed.");
            }

            missed = await answer ? 0 : missed + 1;
            if (missed < Allowed || end.IsCancellationRequested)
                continue;
            process.Kill($"The worker did not answer {Allowed} times in a row and was killed.");
            return;
        }
    }

    private static async Task<bool> WaitAsync(PeriodicTimer timer, CancellationToken cancellationToken)
    {
        try
        {
            return await timer.WaitForNextTickAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    [LoggerMessage(EventId = 2000, Level = LogLevel.Information, Message = "Worker {Id} (pid {Pid}) started for {Label}")]
    private static partial void LogStarted(ILogger logger, string id, int pid, string label);

    [LoggerMessage(EventId = 2001, Level = LogLevel.Error, Message = "Worker {Id} for {Label} died: {Reason}")]
    private static partial void LogDied(ILogger logger, string id, string label, string reason);

    [LoggerMessage(EventId = 2006, Level = LogLevel.Information, Message = "Spare worker {Id} is used for {Label}")]
    private static partial void LogAssigned(ILogger logger, string id, string label);

    [LoggerMessage(EventId = 2007, Level = LogLevel.Warning, Message = "A spare worker could not be started; the next attempt follows")]
    private static partial void LogSpareFailed(ILogger logger, Exception? error);

    [LoggerMessage(EventId = 2005, Level = LogLevel.Warning, Message = "Worker {Id} did not apply a publication of topic {Topic}; it is published again with the next change")]
    private static partial void LogNotApplied(ILogger logger, Exception error, string id, string topic);

    [LoggerMessage(EventId = 2002, Level = LogLevel.Warning, Message = "Worker {Id} did not exit within {Timeout} and was killed")]
    private static partial void LogKilled(ILogger logger, string id, TimeSpan timeout);
}
