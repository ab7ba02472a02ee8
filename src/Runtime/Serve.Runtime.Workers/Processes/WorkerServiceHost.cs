using System.Runtime.InteropServices;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Serve.Runtime.Workers.Rpc;

namespace Serve.Runtime.Workers.Processes;

/// <summary>
/// A worker's services and its HTTP and gRPC server: started at once where the node says so, else when an actor comes; tasks need neither. Its host
/// is written once, by the first that starts it.
/// </summary>
internal sealed class WorkerServiceHost(Func<IHost> build, string token) : IDisposable
{
    private readonly SemaphoreSlim _starting = new(1, 1);
    private readonly TaskCompletionSource _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private IHost? _host;

    /// <summary>Starts the server; says where it listens.</summary>
    public async Task<(string Http, string Call)> StartAsync(CancellationToken cancellationToken)
    {
        await _starting.WaitAsync(cancellationToken);
        try
        {
            if (_host is null)
            {
                var built = build();
                await built.StartAsync(cancellationToken);
                var (http, call) = ProcessHttpServer.AddressesOf(built.Services);
                built.Services.GetRequiredService<ProcessIdentity>().Listen(http, call, token);
                built.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping.UnsafeRegister(_ => _stopped.TrySetResult(), null);
                Volatile.Write(ref _host, built);
            }

            return ProcessHttpServer.AddressesOf(_host.Services);
        }
        finally
        {
            _starting.Release();
        }
    }

    /// <summary>Completes when the process is to end and what it holds is flushed.</summary>
    public async Task WaitForShutdownAsync(CancellationToken cancellationToken)
    {
        // Until there is a host, which has its own ears for the same signals.
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal =>
        {
            signal.Cancel = true;
            _stopped.TrySetResult();
        });
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, static signal => signal.Cancel = true);
        await _stopped.Task.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (_host is not { } running)
            return;
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(2));
        await running.StopAsync(limit.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

        // Flushes what the process's services hold; what user code left running (foreground threads, finalizers) is not waited for.
        await Task.WhenAny(((IAsyncDisposable)running).DisposeAsync().AsTask(), Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System, CancellationToken.None));
    }

    public void Dispose()
    {
        _starting.Dispose();
        _host?.Dispose();
    }
}
