using System.Globalization;
using Microsoft.Extensions.Logging;
using Serve.Runtime.Workers.Connections;
using Serve.Runtime.Workers.Topics;
using Serve.Runtime.Workers.Transport;

namespace Serve.Runtime.Workers.Processes;

/// <summary>
/// The node's workers. The one writer of the set and of each worker's phase, under one lock:
/// <code>
/// (none)   -> Starting  Lease     the first that needs the key
/// Starting -> Running   StartAsync, when it can be called and has seen every topic
/// Starting -> Ending    StartAsync failed, or the last lease was given back
/// Running  -> Ending    the last lease was given back, or the node ends
/// any      -> Ended     its process is reaped; from Running it is a death, and told
/// </code>
/// A lease is one actor that is there or about to be; a worker that is ending is leased no more, so the next creation starts another.
/// </summary>
internal sealed partial class WorkerProcessPool(
    NodeRuntimeOptions options, ProcessConnectionPool connections, TopicPublicationStore board, NodeCallListener? listener, TimeProvider time, ILogger<WorkerProcessPool> logger) : IAsyncDisposable
{
    private readonly Lock _sync = new();
    private readonly Dictionary<string, PooledWorker> _shared = new(StringComparer.Ordinal);
    private readonly HashSet<PooledWorker> _all = [];
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

    /// <summary>Workers that are reachable, also those that are still being told the topics.</summary>
    private IReadOnlyList<PooledWorker> Reachable
    {
        get
        {
            lock (_sync)
                return [.. _all.Where(worker => worker.Phase is WorkerPhase.Starting or WorkerPhase.Running && worker.Address is not null)];
        }
    }

    /// <summary>Says who is told of deaths. Called outside the lock, before the worker's end is known to anyone else.</summary>
    public void TellDeaths(Action<PooledWorker, string> listener) => _onDeath = listener;

    /// <summary>Says who is told of workers that orders may be given to. Called outside the lock.</summary>
    public void TellReached(Action<PooledWorker> listener) => _onReached = listener;

    /// <summary>A worker that runs, started if need be. Paired with one <see cref="ReleaseAsync"/>.</summary>
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

    /// <summary>Gives a lease back; with the last one the worker ends, and this completes when it is reaped.</summary>
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

    /// <summary>Publishes to every worker that can be reached.</summary>
    public Task PublishAsync(TopicPublication publication, CancellationToken cancellationToken) =>
        Task.WhenAll(Reachable.Select(worker => worker.PublishAsync(publication, cancellationToken)));

    public async ValueTask DisposeAsync()
    {
        PooledWorker[] left;
        lock (_sync)
        {
            _closed = true;
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

            var number = ++_started;
            var id = string.Create(CultureInfo.InvariantCulture, $"{options.NodeId}-worker-{number}");
            var label = key ?? ((WorkerPlacement.Own)placement).Label;
            var log = WorkerLogFiles.NewFile(options.WorkerLogDirectory, id, time);
            var worker = new PooledWorker(id, key, label, log, this, connections) { Leases = 1 };
            _all.Add(worker);
            if (key is not null)
                _shared.Add(key, worker);
            worker.Started = Task.Run(() => StartAsync(worker));
            return worker;
        }
    }

    private async Task StartAsync(PooledWorker worker)
    {
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(worker.Start.Token);
        using var limit = new CancellationTokenSource(options.WorkerStartTimeout, time);
        await using var late = limit.Token.UnsafeRegister(static source => ((CancellationTokenSource)source!).Cancel(), bound);
        try
        {
            if (options.WorkerCommand is not { Count: > 0 } command)
                throw new InvalidOperationException("This node was started without a worker command.");
            listener?.Start();
            bound.Token.ThrowIfCancellationRequested();
            WorkerLogFiles.Prepare(options.WorkerLogDirectory);
            var process = await WorkerProcess.StartAsync(command, options.WorkerEnvironment, worker.LogFile);
            worker.Process = process;
            _ = WatchAsync(worker, process);
            var token = FrameSocketTransport.CreateToken();
            var ready = await process.PerformHandshakeAsync(new(worker.Id, token, worker.LogFile, Environment.ProcessId, !options.WorkersListen), bound.Token);
            worker.CompleteHandshake(token, ready);
            if (options.WorkersListen)
                await ReachAsync(worker, ready, bound.Token);
            lock (_sync)
            {
                if (worker.Phase != WorkerPhase.Starting)
                    throw new OperationCanceledException("The worker is not needed any more.");
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
            worker.Process?.Kill();
            if (worker.Process is { } process)
                reason = $"{reason} {await process.Exited}";
            else
                End(worker, reason);
            throw new WorkerStartException(reason, thrown);
        }
    }

    /// <summary>Has a worker that was started for tasks alone serve HTTP and gRPC, so that it can hold actors.</summary>
    public async Task ListenAsync(PooledWorker worker, CancellationToken cancellationToken) =>
        await ReachAsync(worker, await worker.Process!.ListenAsync(cancellationToken), cancellationToken);

    private async Task ReachAsync(PooledWorker worker, WorkerReadyMessage ready, CancellationToken cancellationToken)
    {
        // Reachable before the topics are read: whatever is published meanwhile goes to it as well.
        lock (_sync)
            worker.SetAddress(ready);
        _onReached(worker);
        foreach (var publication in board.Latest)
            await worker.PublishAsync(publication, cancellationToken);
    }

    /// <summary>Sees the process's end, whatever its cause.</summary>
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

    // Under the lock. From here on nobody leases it.
    private void BeginEnd(PooledWorker worker)
    {
        if (worker.Phase is WorkerPhase.Ending or WorkerPhase.Ended)
            return;
        worker.Phase = WorkerPhase.Ending;
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
            LogKilled(logger, worker.Id);
            process.Kill();
            await worker.Ended.Task;
        }
    }

    /// <summary>Asks it whether it lives until it does not.</summary>
    private async Task PulseAsync(PooledWorker worker, WorkerProcess process)
    {
        const int Allowed = 3;
        using var timer = new PeriodicTimer(options.PingPeriod, time);
        using var end = new CancellationTokenSource();
        _ = worker.Ended.Task.ContinueWith(_ => end.Cancel(), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        var missed = 0;
        while (!end.IsCancellationRequested && await WaitAsync(timer, end.Token))
        {
            using var limit = new CancellationTokenSource(options.PingTimeout, time);
            missed = await worker.PingAsync(limit.Token) ? 0 : missed + 1;
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

    [LoggerMessage(Level = LogLevel.Information, Message = "Worker {Id} (pid {Pid}) runs for {Label}")]
    private static partial void LogStarted(ILogger logger, string id, int pid, string label);

    [LoggerMessage(Level = LogLevel.Error, Message = "Worker {Id} for {Label} died. {Reason}")]
    private static partial void LogDied(ILogger logger, string id, string label, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Worker {Id} did not end by itself and was killed")]
    private static partial void LogKilled(ILogger logger, string id);
}
