using Microsoft.Extensions.Hosting;

namespace Serve.Runtime.Workers.Http;

/// <summary>The lifetime of a server inside of a process that decides itself when it ends: it listens to no signal. Holds no state.</summary>
internal sealed class EmbeddedHostLifetime : IHostLifetime
{
    public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
