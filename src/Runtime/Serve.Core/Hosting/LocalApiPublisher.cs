using System.Net;
using System.Security.Cryptography;

namespace Serve.Hosting;

/// <summary>
/// Publishes an API to other processes of this user: after a delay, so that short programs never pay for it, it starts a <see cref="LocalApiServer"/> and announces it.
/// Failures do not affect the program.
/// </summary>
public sealed class LocalApiPublisher : IAsyncDisposable
{
    private static readonly TimeSpan Delay = TimeSpan.FromMilliseconds(500);
    private readonly ProcessAnnouncementFolder<LocalApiAnnouncement> _announcements;
    private readonly string _name;
    private readonly Func<HttpListenerContext, Task> _respond;
    private readonly DateTimeOffset _started;
    private readonly CancellationTokenSource _stop = new();
    private readonly ITimer _timer;
    private readonly Lock _sync = new();
    private Task<(LocalApiServer Server, string File)?>? _running;

    /// <summary>Publishes an API half a second later, unless it is disposed before.</summary>
    /// <param name="announcements">Folder of the announcements.</param>
    /// <param name="name">Display name among several APIs of this program; may be empty.</param>
    /// <param name="respond">Responds to an authorized request; see <see cref="LocalApiServer.Start"/>.</param>
    /// <param name="time">Clock.</param>
    public LocalApiPublisher(ProcessAnnouncementFolder<LocalApiAnnouncement> announcements, string name, Func<HttpListenerContext, Task> respond, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(time);
        (_announcements, _name, _respond, _started) = (announcements, name, respond, time.GetUtcNow());

        // The timer must not keep the caller's async locals alive.
        using (ExecutionContext.SuppressFlow())
            _timer = time.CreateTimer(static state => ((LocalApiPublisher)state!).Start(), this, Delay, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Gets whether the server has been started.</summary>
    public bool HasBegun
    {
        get
        {
            lock (_sync)
                return _running is not null;
        }
    }

    /// <summary>Withdraws the announcement and stops the server.</summary>
    /// <returns>A task that completes when both have ended.</returns>
    public async ValueTask DisposeAsync()
    {
        Task<(LocalApiServer Server, string File)?>? begun;
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

    private async Task<(LocalApiServer Server, string File)?> StartAsync()
    {
        await Task.Yield();
        LocalApiServer? server = null;
        try
        {
            var token = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));
            server = LocalApiServer.Start(token, _respond);
            _stop.Token.ThrowIfCancellationRequested();
            var program = Path.GetFileNameWithoutExtension(Environment.GetCommandLineArgs().FirstOrDefault() ?? Environment.ProcessPath) ?? "";
            return (server, _announcements.Publish(new(Environment.ProcessId, program, server.Address, token, _started, _name)));
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException or OperationCanceledException or System.Net.Sockets.SocketException)
        {
            // No home folder, no sockets, or disposed: the API is then not published.
            if (server is not null)
                await server.DisposeAsync().ConfigureAwait(false);
            return null;
        }
    }
}
