namespace Serve.Nodes;

/// <summary>Status of a worker process.</summary>
/// <param name="WorkerId">The worker's id.</param>
/// <param name="ProcessId">The process id in the operating system.</param>
/// <param name="Label">Purpose of the worker, for example the name of an application.</param>
/// <param name="ActorIds">The actors that it hosts.</param>
/// <param name="LogFile">The file that its output is written to.</param>
public sealed record WorkerStatus(string WorkerId, int ProcessId, string Label, IReadOnlyList<ActorId> ActorIds, string LogFile);

/// <summary>Something that happened on a node without having been requested.</summary>
/// <param name="Version">Counts the node's events from 1.</param>
public abstract record NodeEvent(long Version)
{
    /// <summary>An actor that had been created was lost with its worker. Its resources are released and the process is reaped.</summary>
    /// <param name="Version">The event's version.</param>
    /// <param name="Id">The actor.</param>
    /// <param name="Reason">Human-readable: exit code or signal, and the last lines of the error output.</param>
    public sealed record ActorDied(long Version, ActorId Id, string Reason) : NodeEvent(Version);

    /// <summary>A worker process exited without having been asked to.</summary>
    /// <param name="Version">The event's version.</param>
    /// <param name="WorkerId">The worker.</param>
    /// <param name="ProcessId">The process id in the operating system.</param>
    /// <param name="Reason">Human-readable reason.</param>
    public sealed record WorkerDied(long Version, string WorkerId, int ProcessId, string Reason) : NodeEvent(Version);
}

/// <summary>Addresses of a process that hosts actors. They do not leave the node, because they contain the access token of the process.</summary>
/// <param name="ProcessId">Id of the node's process or of the worker; equal ids mean the same process.</param>
/// <param name="HttpAddress">Base address of forwarded HTTP/1.1 requests; null if the process serves none.</param>
/// <param name="CallAddress">Address of calls from other processes; null if the process accepts none.</param>
/// <param name="Token">Token that callers present; null if there are no addresses.</param>
/// <param name="Http2Address">Base address of forwarded HTTP/2 requests; null if the process serves none.</param>
public sealed record HostProcessAddress(string ProcessId, string? HttpAddress = null, string? CallAddress = null, string? Token = null, string? Http2Address = null);
