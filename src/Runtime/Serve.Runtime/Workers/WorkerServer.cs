using System.Runtime.InteropServices;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Serve.Runtime.Rpc;

namespace Serve.Runtime.Workers;

/// <summary>
/// A worker's services and its HTTP and gRPC server: started at once where the node says so, else when an actor comes; tasks need neither. Its host
/// is written once, by the first that starts it.
/// </summary>
internal sealed class WorkerServer(Func<IHost> build, string token) : IDisposable
{
    private readonly SemaphoreSlim starting = new(1, 1);
    private readonly TaskCompletionSource stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private IHost? host;

    /// <summary>Starts the server; says where it listens.</summary>
    public async Task<(string Http, string Call)> StartAsync(CancellationToken cancellationToken)
    {
        await starting.WaitAsync(cancellationToken);
        try
        {
            if (host is null)
            {
                var built = build();
                await built.StartAsync(cancellationToken);
                var (http, call) = CallServer.AddressesOf(built.Services);
                built.Services.GetRequiredService<ProcessIdentity>().Listen(http, call, token);
                built.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping.UnsafeRegister(_ => stopped.TrySetResult(), null);
                Volatile.Write(ref host, built);
            }

            return CallServer.AddressesOf(host.Services);
        }
        finally
        {
            starting.Release();
        }
    }

    /// <summary>Completes when the process is to end and what it holds is flushed.</summary>
    public async Task WaitForShutdownAsync(CancellationToken cancellationToken)
    {
        // Until there is a host, which has its own ears for the same signals.
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal =>
        {
            signal.Cancel = true;
            stopped.TrySetResult();
        });
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, static signal => signal.Cancel = true);
        await stopped.Task.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (host is not { } running)
            return;
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(2));
        await running.StopAsync(limit.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

        // Flushes what the process's services hold; what user code left running (foreground threads, finalizers) is not waited for.
        await Task.WhenAny(((IAsyncDisposable)running).DisposeAsync().AsTask(), Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System, CancellationToken.None));
    }

    public void Dispose()
    {
        starting.Dispose();
        host?.Dispose();
    }
}
