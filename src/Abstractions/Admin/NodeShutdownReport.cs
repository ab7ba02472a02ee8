namespace Serve.Admin;

/// <summary>What <c>POST /api/v1/shutdown</c> ended, told before the node itself ends.</summary>
public sealed record NodeShutdownReport
{
    /// <summary>The node's own process, which ends after this reply.</summary>
    public int NodePid { get; init; }

    /// <summary>The applications that were drained and ended.</summary>
    public IReadOnlyList<string> Applications { get; init; } = [];

    /// <summary>The replicas that were drained and ended.</summary>
    public IReadOnlyList<string> Replicas { get; init; } = [];

    /// <summary>The worker processes that were ended.</summary>
    public IReadOnlyList<WorkerProcessDetails> Processes { get; init; } = [];

    /// <summary>The addresses that are no longer listened on once the node has ended.</summary>
    public IReadOnlyList<string> Addresses { get; init; } = [];
}
