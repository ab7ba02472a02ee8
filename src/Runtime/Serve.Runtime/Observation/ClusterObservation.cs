using System.Security.Cryptography;

namespace Serve.Runtime.Observation;

/// <summary>
/// Lets other processes of this user look at a cluster: after a while, so that programs that end soon never pay for it, it starts the state API
/// and announces it. A program that cannot be observed runs all the same. Its state is what it started.
/// </summary>
internal sealed class ClusterObservation : IAsyncDisposable
{
    private static readonly TimeSpan Delay = TimeSpan.FromMilliseconds(500);
    private readonly Cluster cluster;
    private readonly ClusterAnnouncements announcements;
    private readonly DateTimeOffset started;
    private readonly CancellationTokenSource stop = new();
    private readonly ITimer timer;
    private readonly Lock sync = new();
    private Task<(StateServer Server, string File)?>? running;

    public ClusterObservation(Cluster cluster, ClusterAnnouncements announcements, TimeProvider time)
    {
        this.cluster = cluster;
        this.announcements = announcements;
        started = time.GetUtcNow();

        // The timer must not hold the caller's async locals, which may hold much.
        using (ExecutionContext.SuppressFlow())
            timer = time.CreateTimer(static state => ((ClusterObservation)state!).Start(), this, Delay, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Whether the program has run long enough.</summary>
    public bool HasBegun
    {
        get
        {
            lock (sync)
                return running is not null;
        }
    }

    public async ValueTask DisposeAsync()
    {
        Task<(StateServer Server, string File)?>? begun;
        lock (sync)
        {
            if (stop.IsCancellationRequested)
                return;
            stop.Cancel();
            begun = running;
        }

        await timer.DisposeAsync().ConfigureAwait(false);
        if (begun is not null && await begun.ConfigureAwait(false) is var (server, file))
        {
            announcements.Withdraw(file);
            await server.DisposeAsync().ConfigureAwait(false);
        }

        stop.Dispose();
    }

    private void Start()
    {
        lock (sync)
        {
            if (!stop.IsCancellationRequested)
                running = StartAsync();
        }
    }

    private async Task<(StateServer Server, string File)?> StartAsync()
    {
        await Task.Yield();
        StateServer? server = null;
        try
        {
            var token = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));
            server = await StateServer.StartAsync(cluster, token, stop.Token).ConfigureAwait(false);
            stop.Token.ThrowIfCancellationRequested();
            var program = Path.GetFileNameWithoutExtension(Environment.GetCommandLineArgs().FirstOrDefault() ?? Environment.ProcessPath) ?? "";
            return (server, announcements.Publish(new(Environment.ProcessId, program, server.Address, token, started)));
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException or OperationCanceledException or System.Net.Sockets.SocketException)
        {
            // No home, no sockets, or the cluster has ended meanwhile: it cannot be looked at, and that is all.
            if (server is not null)
                await server.DisposeAsync().ConfigureAwait(false);
            return null;
        }
    }
}
