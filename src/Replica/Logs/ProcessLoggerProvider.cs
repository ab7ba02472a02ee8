using Microsoft.Extensions.Logging;

namespace Serve.Replica.Logs;

/// <summary>Mirrors a replica's log into its process's own, under the replica's name. Does not own the process's factory.</summary>
internal sealed class ProcessLoggerProvider(ILoggerFactory process, ReplicaId replica) : ILoggerProvider
{
    public ILogger CreateLogger(string categoryName) => process.CreateLogger($"{replica} {categoryName}");

    public void Dispose()
    {
    }
}
