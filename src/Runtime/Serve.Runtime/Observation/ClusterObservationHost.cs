using System.Security.Cryptography;

namespace Serve.Runtime.Observation;

/// <summary>
/// Publishes a cluster to other processes of this user: after a delay, so that short programs never pay for it, it starts the state API and announces it.
/// Failures do not affect the program.
/// </summary>
internal sealed class ClusterObservationHost : IAsyncDisposable
{
    private static readonly TimeSpan Delay = TimeSpan.FromMilliseconds(500);
    private readonly Cluster _cluster;
    private readonly ProcessAnnouncementFolder<ClusterAnnouncement> _announcements;
    private readonly DateTimeOffset _started;
    private readonly CancellationTokenSource _stop = new();
    private readonly ITimer _timer;
    private readonly Lock _sync = new();
    private Task<(ClusterStateServer Server, string File)?>? _running;

    public ClusterObservationHost(Cluster cluster, ProcessAnnouncementFolder<ClusterAnnouncement> announcements, TimeProvider time)
    {
        _cluster = cluster;
        _announcements = announcements;
        _started = time.GetUtcNow();

        // The timer must not keep the caller's async locals alive.
        using (ExecutionContext.SuppressFlow())
            _timer = time.CreateTimer(static state => ((ClusterObservationHost)state!).Start(), this, Delay, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Whether the state API has been started.</summary>
    public bool HasBegun
    {
        get
        {
            lock (_sync)
                return _running is not null;
        }
    }

    public async ValueTask DisposeAsync()
    {
        Task<(ClusterStateServer Server, string File)?>? begun;
        lock (_sync)
        {
            if (_stop.IsCancellationRequested)
                return;
            _stop.Cancel();
            begun = _running;
        }

        await _timer.DisposeAsync().ConfigureAwait(false);
        if (begun is not null && await begun.ConfigureAwait(false) is var (server, file))
        {
            _announcements.Withdraw(file);
            await server.DisposeAsync().ConfigureAwait(false);
        }

        _stop.Dispose();
    }

    private void Start()
    {
        lock (_sync)
        {
            if (!_stop.IsCancellationRequested)
                _running = StartAsync();
        }
    }

    private async Task<(ClusterStateServer Server, string File)?> StartAsync()
    {
        await Task.Yield();
        ClusterStateServer? server = null;
        try
        {
            var token = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));
            server = ClusterStateServer.Start(_cluster, token);
            _stop.Token.ThrowIfCancellationRequested();
            var program = Path.GetFileNameWithoutExtension(Environment.GetCommandLineArgs().FirstOrDefault() ?? Environment.ProcessPath) ?? "";
            return (server, _announcements.Publish(new(Environment.ProcessId, program, server.Address, token, _started)));
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException or OperationCanceledException or System.Net.Sockets.SocketException)
        {
            // No home folder, no sockets, or the cluster was disposed: the cluster is then not observable.
            if (server is not null)
                await server.DisposeAsync().ConfigureAwait(false);
            return null;
        }
    }
}
