using System.Collections.Immutable;
using Google.Protobuf;
using Grpc.Core;
using Serve.Routes;
using Serve.Runtime.Nodes;
using Serve.Runtime.Rpc;
using Serve.Runtime.Wire;

namespace Serve.Runtime.Workers;

/// <summary>
/// A worker as its node sees it: the orders it can be given. Its phase and leases are written by <see cref="WorkerProcessPool"/> under the pool's
/// lock; its process and route once, by the start that the pool runs.
/// </summary>
internal sealed class PooledWorker(string id, string? key, string label, string logFile, WorkerProcessPool pool, CallChannels channels) : IActorHostProcess
{
    /// <summary>How long an order to stop may take beyond its drain, cancellation and disposal included.</summary>
    private static readonly TimeSpan StopSlack = TimeSpan.FromSeconds(15);

    private readonly Metadata _headers = [];
    private Control.ControlClient? _client;
    private Task? _listening;
    private Task<Sessions.WorkerConnection>? _session;

    public string Id => id;

    /// <summary>What its actors share; null for a worker of one actor.</summary>
    public string? Key => key;

    public string Label => label;

    public string LogFile => logFile;

    public WorkerPhase Phase { get; set; }

    public int Leases { get; set; }

    /// <summary>Gives its start up.</summary>
    public CancellationTokenSource Start { get; } = new();

    /// <summary>Completes when it can hold actors; fails when it never will.</summary>
    public Task Started { get; set; } = Task.CompletedTask;

    /// <summary>Completes when its process is reaped.</summary>
    public TaskCompletionSource<string> Ended { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public string? EndedBecause => Ended.Task.IsCompletedSuccessfully ? Ended.Task.Result : null;

    public WorkerProcess? Process { get; set; }

    public HostProcessAddress? Route { get; private set; }

    /// <summary>Says where it can be reached. Orders may be given from then on.</summary>
    public void Reach(HostProcessAddress route)
    {
        Route = route;
        _headers.Add(ProcessAccessToken.MetadataKey, route.Token!);
        _client = new(channels.To(route));
    }

    public async Task<ActorReference> CreateAsync(ActorSpec spec, ImmutableArray<int> gpuIds, CancellationToken cancellationToken)
    {
        var request = new CreateActorRequest
        {
            ActorId = spec.Id.Value,
            Kind = spec.Kind,
            Payload = UnsafeByteOperations.UnsafeWrap(spec.Payload),
            Parallel = spec.Concurrency == ConcurrencyMode.Parallel,
            MaxOngoing = spec.MaxOngoing,
        };
        request.GpuIds.AddRange(gpuIds);
        try
        {
            await ListenAsync(cancellationToken);
            var outcome = await _client!.CreateActorAsync(request, _headers, cancellationToken: cancellationToken);
            return outcome.Error is { } error
                ? throw new ActorCreationException(spec.Id, error.Message, error.Stack.Length == 0 ? null : error.Stack)
                : new RemoteActorReference(spec.Id, Route!, channels);
        }
        catch (RpcException broken)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw new ActorCreationException(spec.Id, await DescribeFailureAsync(broken), null, broken);
        }
    }

    public async Task StopAsync(ActorId id, TimeSpan drainTimeout, CancellationToken cancellationToken)
    {
        if (_client is null || EndedBecause is not null)
            return;

        // The order itself is not cancelled: a second one, with no time to drain, overtakes it.
        await using var cut = cancellationToken.UnsafeRegister(_ => _ = StopQuietlyAsync(id, TimeSpan.Zero), null);
        await StopQuietlyAsync(id, drainTimeout).WaitAsync(drainTimeout + StopSlack, pool.Time, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public async Task ReconfigureAsync(ActorId id, int maxOngoing, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken)
    {
        var request = new ReconfigureActorRequest { ActorId = id.Value, MaxOngoing = maxOngoing, Payload = UnsafeByteOperations.UnsafeWrap(payload) };
        await OrderAsync(id, () => _client!.ReconfigureActorAsync(request, _headers, cancellationToken: cancellationToken), cancellationToken);
    }

    public Task CheckHealthAsync(ActorId id, CancellationToken cancellationToken) =>
        OrderAsync(id, () => _client!.CheckHealthAsync(new() { ActorId = id.Value }, _headers, cancellationToken: cancellationToken), cancellationToken);

    public Task ReleaseAsync() => pool.ReleaseAsync(this);

    /// <summary>Hands it a publication. One that it did not live to see does not count.</summary>
    public async Task PublishAsync(TopicPublication publication, CancellationToken cancellationToken)
    {
        var request = new PublishRequest
        {
            Topic = publication.Topic,
            Source = publication.Source,
            Epoch = publication.Version.Epoch,
            Version = publication.Version.Number,
            Payload = UnsafeByteOperations.UnsafeWrap(publication.Payload),
        };
        try
        {
            var outcome = await _client!.PublishAsync(request, _headers, cancellationToken: cancellationToken);
            if (outcome.Error is { } error)
                throw CallErrorConverter.FromWire(error, id);
        }
        catch (RpcException broken)
        {
            cancellationToken.ThrowIfCancellationRequested();

            // Nothing but its end breaks a loopback call; whoever thinks otherwise finds out by the ping.
            await WaitForExitAsync((pool.Options.PingPeriod + pool.Options.PingTimeout) * 4, cancellationToken);
            if (EndedBecause is null)
                throw new IOException($"Worker {id} did not take topic {publication.Topic}.", broken);
        }
    }

    /// <summary>Hands on what its actors say of themselves, until it has ended.</summary>
    public async Task WatchReportsAsync(Action<IReadOnlyList<(string Topic, ActorId Actor, ReadOnlyMemory<byte> Payload)>> take)
    {
        while (EndedBecause is null)
        {
            try
            {
                using var watch = _client!.WatchReports(new Empty(), _headers);
                while (await watch.ResponseStream.MoveNext(CancellationToken.None))
                    take([.. watch.ResponseStream.Current.Reports.Select(report => (report.Topic, new ActorId(report.ActorId), report.Payload.Memory))]);
            }
            catch (Exception broken) when (broken is RpcException or ObjectDisposedException)
            {
                // Its end, most likely, which is about to be seen; else it is asked again.
            }

            await ((Task)Ended.Task).WaitAsync(pool.Options.PingPeriod, pool.Time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    public async Task<string?> CollectMetricsAsync(CancellationToken cancellationToken)
    {
        if (_client is null)
            return null;
        try
        {
            return (await _client.CollectMetricsAsync(new(), _headers, cancellationToken: cancellationToken)).Text;
        }
        catch (RpcException)
        {
            return null;
        }
    }

    /// <summary>Whether it answers.</summary>
    public async Task<bool> PingAsync(CancellationToken cancellationToken)
    {
        if (_client is null)
            return await Process!.PingAsync(cancellationToken);
        try
        {
            await _client.PingAsync(new(), _headers, cancellationToken: cancellationToken);
            return true;
        }
        catch (RpcException)
        {
            return false;
        }
    }

    /// <summary>The session of the cluster's head with it, opened with its first use.</summary>
    public Task<Sessions.WorkerConnection> OpenSession(Func<Task<Sessions.WorkerConnection>> open)
    {
        lock (_headers)
            return _session ??= open();
    }

    public int RunsOnSession => OpenedSession?.Count ?? 0;

    /// <summary>That session, once it is open.</summary>
    public Sessions.WorkerConnection? OpenedSession => _session is { IsCompletedSuccessfully: true } open ? open.Result : null;

    public void CloseSession() => OpenedSession?.Dispose();

    public string? Token { get; private set; }

    private string? SessionAddress { get; set; }

    /// <summary>The handshake is over.</summary>
    public void CompleteHandshake(string token, WorkerReadyMessage ready)
    {
        Token = token;
        SessionAddress = ready.SessionAddress;
    }

    /// <summary>How it ended; one that does not end soon although its session broke is killed.</summary>
    public async Task<string> WaitForExitAsync()
    {
        await WaitForExitAsync(TimeSpan.FromSeconds(2), CancellationToken.None).ConfigureAwait(false);
        if (EndedBecause is null)
            Process!.Kill("The connection to the worker broke, and it was killed.");
        return await Ended.Task.ConfigureAwait(false);
    }

    /// <summary>A connection for its session.</summary>
    public Task<Sessions.FrameStream> ConnectAsync(CancellationToken cancellationToken) => Sessions.FrameSocketTransport.ConnectAsync(SessionAddress!, Token!, cancellationToken);

    /// <summary>It serves HTTP and gRPC from here on, if it did not before.</summary>
    private async Task ListenAsync(CancellationToken cancellationToken)
    {
        Task listens;
        lock (_headers)
            listens = _client is not null ? Task.CompletedTask : _listening ??= pool.ListenAsync(this, CancellationToken.None);
        try
        {
            await listens.WaitAsync(cancellationToken);
        }
        catch (Exception thrown) when (thrown is IOException or ObjectDisposedException or InvalidOperationException)
        {
            throw new RpcException(new Status(StatusCode.Unavailable, thrown.Message, thrown));
        }
    }

    private async Task StopQuietlyAsync(ActorId id, TimeSpan drainTimeout)
    {
        try
        {
            await _client!.StopActorAsync(new() { ActorId = id.Value, DrainMs = (long)drainTimeout.TotalMilliseconds }, _headers);
        }
        catch (RpcException)
        {
            // Its process is gone, and the actor with it.
        }
    }

    private async Task OrderAsync(ActorId actor, Func<AsyncUnaryCall<Outcome>> order, CancellationToken cancellationToken)
    {
        try
        {
            using var running = order();
            if ((await running.ResponseAsync).Error is { } error)
                throw CallErrorConverter.FromWire(error, actor.Value);
        }
        catch (RpcException broken)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw new ReplicaDiedException($"Actor {actor}: {await DescribeFailureAsync(broken)}", broken);
        }
    }

    private async Task WaitForExitAsync(TimeSpan limit, CancellationToken cancellationToken)
    {
        Task ended = Ended.Task;
        await ended.WaitAsync(limit, pool.Time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>The way it ended, which is known a moment after its calls broke.</summary>
    private async Task<string> DescribeFailureAsync(RpcException broken)
    {
        await WaitForExitAsync(TimeSpan.FromSeconds(2), CancellationToken.None);
        return EndedBecause ?? $"Worker {id} does not answer: {broken.Status.Detail}";
    }
}
