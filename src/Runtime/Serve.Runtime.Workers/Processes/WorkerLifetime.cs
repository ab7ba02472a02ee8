using System.Runtime.InteropServices;
using Microsoft.Extensions.Hosting;

namespace Serve.Runtime.Workers.Processes;

/// <summary>When a worker ends: when its node says so, or on SIGTERM. Ctrl+C is the node's business. Holds its signal registrations.</summary>
internal sealed class WorkerLifetime(IHostApplicationLifetime application) : IHostLifetime, IDisposable
{
    private readonly List<PosixSignalRegistration> _signals = [];

    public Task WaitForStartAsync(CancellationToken cancellationToken)
    {
        _signals.Add(PosixSignalRegistration.Create(PosixSignal.SIGINT, static signal => signal.Cancel = true));
        _signals.Add(PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal =>
        {
            signal.Cancel = true;
            application.StopApplication();
        }));
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => _signals.ForEach(signal => signal.Dispose());
}
