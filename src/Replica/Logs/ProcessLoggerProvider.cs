using Microsoft.Extensions.Logging;

namespace Serve.Replica.Logs;

/// <summary>Mirrors the log of a replica to the log of its process, with the replica's id as a prefix of the category. Does not own the factory of the process.</summary>
internal sealed class ProcessLoggerProvider(ILoggerFactory process, ReplicaId replica) : ILoggerProvider
{
    public ILogger CreateLogger(string categoryName) => process.CreateLogger($"{replica} {categoryName}");

    public void Dispose()
    {
    }
}
