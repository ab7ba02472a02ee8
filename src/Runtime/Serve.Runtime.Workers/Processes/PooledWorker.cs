using Serve.Runtime.Workers.Connections;
using Serve.Runtime.Workers.Transport;

namespace Serve.Runtime.Workers.Processes;

/// <summary>
/// A worker of the pool, as its node uses it. Its phase and leases are written by <see cref="WorkerProcessPool"/> under the pool's lock; its process and
/// address once, by the start that the pool runs.
/// </summary>
internal sealed class PooledWorker(string id, string logFile, WorkerProcessPool pool, ProcessConnectionPool connections)
{
    /// <summary>How long stopping an actor may take beyond its drain, cancellation and disposal included.</summary>
    private static readonly TimeSpan StopSlack = TimeSpan.FromSeconds(15);

    /// <summary>How long the answer to a health check may take beyond the check's own time limit: longer than the period of pings.</summary>
    private static readonly TimeSpan AnswerSlack = TimeSpan.FromSeconds(3);

    private static readonly TimeSpan ExitDelay = TimeSpan.FromSeconds(2);

    private readonly Lock _sync = new();
    private readonly Dictionary<string, TopicPublication?> _offered = new(StringComparer.Ordinal);
    private HostProcessAddress? _address;
    private string? _callAddress;
    private Task? _listening;
    private Task<WorkerConnection>? _connection;

    public string Id => id;

    /// <summary>Key of the placement that its actors share; null for a worker of one actor, and for a spare one.</summary>
    public string? Key { get; set; }

    public string Label { get; set; } = "spare";

    public string LogFile => logFile;

    public WorkerPhase Phase { get; set; }

    public int Leases { get; set; }

    /// <summary>Cancels its start.</summary>
    public CancellationTokenSource Start { get; } = new();

    /// <summary>Completes when it can host actors; fails if it never will.</summary>
    public Task Started { get; set; } = Task.CompletedTask;

    /// <summary>Completes with the exit reason when its process is reaped.</summary>
    public TaskCompletionSource<string> Ended { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public string? EndedBecause => Ended.Task.IsCompletedSuccessfully ? Ended.Task.Result : null;

    public WorkerProcess? Process { get; set; }

    /// <summary>Where other processes reach it; null while it hosts no services.</summary>
    public HostProcessAddress? Address => Volatile.Read(ref _address);

    public string? Token { get; private set; }

    /// <summary>Tasks and calls of the cluster that run on it.</summary>
    public int RunningCount => OpenedConnection?.Count ?? 0;

    /// <summary>The cluster's connection to it, once that is open.</summary>
    public WorkerConnection? OpenedConnection => _connection is { IsCompletedSuccessfully: true } open ? open.Result : null;

    /// <summary>Records the result of the handshake.</summary>
    public void CompleteHandshake(string token, WorkerReadyMessage ready) => (Token, _callAddress) = (token, ready.CallAddress);

    /// <summary>Records where it is reached. Queries may be sent from then on.</summary>
    public void SetAddress(WorkerReadyMessage ready) =>
        Volatile.Write(ref _address, new(id, ready.HttpAddress, ready.CallAddress, Token, ready.Http2Address));

    public async Task CreateAsync(ActorSpec spec, IReadOnlyList<int> gpuIds, CancellationToken cancellationToken)
    {
        var query = new NodeQueryKinds.CreateActorQuery(spec.Id.Value, spec.Kind, spec.Concurrency, spec.MaxOngoing, gpuIds);
        try
        {
            await ListenAsync(cancellationToken);
            await QueryAsync(NodeQueryKinds.CreateActor, query, spec.Payload, cancellationToken);
        }
        catch (ConnectionLostException lost)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw new ActorCreationException(spec.Id, await DescribeFailureAsync(lost), null, lost);
        }
        catch (Exception thrown) when (thrown is not ActorCreationException && !cancellationToken.IsCancellationRequested)
        {
            throw new ActorCreationException(spec.Id, thrown.Message, (thrown as UserCodeException)?.RemoteStack, thrown);
        }
    }

    public async Task StopAsync(ActorId id, TimeSpan drainTimeout, CancellationToken cancellationToken)
    {
        if (Address is null || EndedBecause is not null)
            return;

        // The query itself is not canceled: a second one without a drain overtakes it.
        await using var cut = cancellationToken.UnsafeRegister(_ => _ = StopQuietlyAsync(id, TimeSpan.Zero), null);
        await StopQuietlyAsync(id, drainTimeout).WaitAsync(drainTimeout + StopSlack, pool.Time, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public Task ReconfigureAsync(ActorId id, int maxOngoing, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken) =>
        QueryActorAsync(id, NodeQueryKinds.ReconfigureActor, new NodeQueryKinds.ReconfigureActorQuery(id.Value, maxOngoing), payload, cancellationToken);

    /// <summary>Runs an actor's health check. A worker whose thread pool is too busy to answer in time, but completes work, passes.</summary>
    public async Task CheckHealthAsync(ActorId id, TimeSpan timeout, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(timeout + AnswerSlack, pool.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            await QueryActorAsync(id, NodeQueryKinds.CheckActor, new NodeQueryKinds.CheckActorQuery(id.Value, timeout), default, either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            if (Process is not { MakesProgress: true })
                throw new TimeoutException($"Worker {Id} did not answer within {(timeout + AnswerSlack).TotalSeconds:0.###} s.");
        }
    }

    public async Task<IReadOnlyList<string>> GetNoticesAsync(ActorId id, CancellationToken cancellationToken) => NodeQueryKinds.Read<string[]>(
        await QueryAsync(NodeQueryKinds.ActorNotices, new NodeQueryKinds.ActorNoticesQuery(id.Value), default, cancellationToken));

    public Task ReleaseAsync() => pool.ReleaseAsync(this);

    /// <summary>Publishes a topic's value to the worker. A worker that exits in the meantime counts as reached.</summary>
    public async Task PublishAsync(TopicPublication publication, CancellationToken cancellationToken)
    {
        try
        {
            await QueryAsync(NodeQueryKinds.Publish, new NodeQueryKinds.PublishQuery(publication.Topic, publication.Source, publication.Version), publication.Payload, cancellationToken);
        }
        catch (ConnectionLostException lost)
        {
            cancellationToken.ThrowIfCancellationRequested();

            // Only its exit breaks a local connection.
            await WaitForExitAsync((pool.Options.PingPeriod + pool.Options.PingTimeout) * 4, cancellationToken);
            if (EndedBecause is null)
                throw new IOException($"Worker {id} did not acknowledge topic {publication.Topic}.", lost);
        }
    }

    /// <summary>
    /// Publishes a topic's value to the worker without waiting for it. Sends one value of a topic at a time, and then the newest that was offered in the meantime, so that a
    /// worker that does not answer delays no other process and no values pile up.
    /// </summary>
    public void Offer(TopicPublication publication)
    {
        lock (_sync)
        {
            var isSending = _offered.ContainsKey(publication.Topic);
            _offered[publication.Topic] = publication;
            if (isSending)
                return;
        }

        _ = SendOfferedAsync(publication.Topic);
    }

    /// <summary>Passes on the reports of its actors until it has exited.</summary>
    public async Task WatchReportsAsync(Action<IReadOnlyList<(string Topic, ActorId Actor, ReadOnlyMemory<byte> Payload)>> update)
    {
        while (EndedBecause is null)
        {
            try
            {
                var connection = await connections.ConnectAsync(Address!, CancellationToken.None);
                await foreach (var answer in connection.QueryStreamAsync(NodeQueryKinds.WatchReports, CancellationToken.None))
                    update([.. NodeQueryKinds.Read<NodeQueryKinds.ReportEntry[]>(answer).Select(static report => (report.Topic, new ActorId(report.ActorId), report.PayloadBytes))]);
            }
            catch (Exception broken) when (broken is IOException or ServeException)
            {
                // Most likely its exit, which is about to be observed; otherwise the query is sent again.
            }

            await ((Task)Ended.Task).WaitAsync(pool.Options.PingPeriod, pool.Time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Collects its metrics in Prometheus' text format; null if it hosts no services or has exited.</summary>
    public async Task<string?> CollectMetricsAsync(CancellationToken cancellationToken)
    {
        if (Address is null)
            return null;
        try
        {
            var text = await QueryAsync<object?>(NodeQueryKinds.CollectMetrics, null, default, cancellationToken);
            return System.Text.Encoding.UTF8.GetString(text.Span);
        }
        catch (Exception thrown) when (thrown is ConnectionLostException or OperationCanceledException)
        {
            return null;
        }
    }

    /// <summary>The cluster's connection to it, opened by the first call.</summary>
    public Task<WorkerConnection> ConnectAsync(Func<Task<WorkerConnection>> open)
    {
        lock (_sync)
            return _connection ??= open();
    }

    /// <summary>Opens a stream for the cluster's connection.</summary>
    public Task<FrameStream> OpenStreamAsync(CancellationToken cancellationToken) =>
        FrameSocketTransport.ConnectAsync(_callAddress!, Token!, ConnectionPurpose.Cluster, cancellationToken);

    /// <summary>Opens the byte stream of a connection for the holder of a lease.</summary>
    public Task<Stream> OpenLeaseStreamAsync(CancellationToken cancellationToken) =>
        FrameSocketTransport.OpenAsync(_callAddress!, Token!, ConnectionPurpose.Cluster, cancellationToken);

    public void CloseConnection() => OpenedConnection?.Dispose();

    /// <summary>Starts its services, if it was started for tasks only.</summary>
    private async Task ListenAsync(CancellationToken cancellationToken)
    {
        Task listens;
        lock (_sync)
            listens = Address is not null ? Task.CompletedTask : _listening ??= pool.ListenAsync(this, CancellationToken.None);
        try
        {
            await listens.WaitAsync(cancellationToken);
        }
        catch (Exception thrown) when (thrown is IOException or ObjectDisposedException or InvalidOperationException)
        {
            throw new ConnectionLostException(mayHaveStarted: false, thrown.Message, thrown);
        }
    }

    // A key with null: the newest value is being sent.
    private async Task SendOfferedAsync(string topic)
    {
        while (true)
        {
            TopicPublication next;
            lock (_sync)
            {
                if (_offered[topic] is not { } offered)
                {
                    _offered.Remove(topic);
                    return;
                }

                (next, _offered[topic]) = (offered, null);
            }

            try
            {
                await PublishAsync(next, CancellationToken.None);
            }
            catch (Exception thrown) when (thrown is IOException or ServeException)
            {
                pool.LogNotApplied(this, next, thrown);
            }
        }
    }

    private async Task StopQuietlyAsync(ActorId id, TimeSpan drainTimeout)
    {
        try
        {
            await QueryAsync(NodeQueryKinds.StopActor, new NodeQueryKinds.StopActorQuery(id.Value, drainTimeout), default, CancellationToken.None);
        }
        catch (Exception thrown) when (thrown is IOException or ServeException)
        {
            // Its process has exited, and the actor with it.
        }
    }

    private async Task QueryActorAsync<TBody>(ActorId actor, string kind, TBody body, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken)
    {
        try
        {
            await QueryAsync(kind, body, payload, cancellationToken);
        }
        catch (ConnectionLostException lost)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw new ReplicaDiedException($"Actor {actor}: {await DescribeFailureAsync(lost)}", lost);
        }
    }

    private async Task<ReadOnlyMemory<byte>> QueryAsync<TBody>(string kind, TBody body, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken)
    {
        var connection = await connections.ConnectAsync(Address!, cancellationToken);
        return await connection.QueryAsync(kind, NodeQueryKinds.Write(body), payload, cancellationToken);
    }

    private async Task WaitForExitAsync(TimeSpan limit, CancellationToken cancellationToken)
    {
        Task ended = Ended.Task;
        await ended.WaitAsync(limit, pool.Time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>The exit reason, which is known a moment after its connections broke.</summary>
    private async Task<string> DescribeFailureAsync(ConnectionLostException lost)
    {
        await WaitForExitAsync(ExitDelay, CancellationToken.None);
        return EndedBecause ?? $"Worker {id} does not respond: {lost.Message}";
    }
}
