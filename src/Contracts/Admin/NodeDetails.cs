namespace Serve.Admin;

/// <summary>The nodes, as returned by <c>GET /api/v1/nodes</c>.</summary>
public sealed record NodeDetailsList
{
    /// <summary>All nodes.</summary>
    public IReadOnlyList<NodeDetails> Nodes { get; init; } = [];
}

/// <summary>One node.</summary>
public sealed record NodeDetails
{
    /// <summary>The node's id.</summary>
    public required string NodeId { get; init; }

    /// <summary>The node's phase: <c>joining</c>, <c>ready</c>, <c>draining</c> or <c>unreachable</c>.</summary>
    public NodePhase Phase { get; init; } = NodePhase.Ready;

    /// <summary>The operating system's id of its process.</summary>
    public int Pid { get; init; }

    /// <summary>The version of the platform.</summary>
    public string Version { get; init; } = "";

    /// <summary>Base address of its gateway.</summary>
    public string? GatewayAddress { get; init; }

    /// <summary>Base address of its admin API.</summary>
    public string? AdminAddress { get; init; }

    /// <summary>Its state directory.</summary>
    public string? StateDir { get; init; }

    /// <summary>Its start time in seconds since 1970, UTC.</summary>
    public double StartTimeS { get; init; }

    /// <summary>Labels for placement.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();

    /// <summary>Its total resources by name.</summary>
    public IReadOnlyDictionary<string, double> ResourcesTotal { get; init; } = new Dictionary<string, double>();

    /// <summary>Its reserved resources by name.</summary>
    public IReadOnlyDictionary<string, double> ResourcesReserved { get; init; } = new Dictionary<string, double>();

    /// <summary>Its worker processes.</summary>
    public IReadOnlyList<WorkerProcessDetails> Workers { get; init; } = [];
}

/// <summary>One worker process.</summary>
public sealed record WorkerProcessDetails
{
    /// <summary>The worker's id.</summary>
    public required string WorkerId { get; init; }

    /// <summary>The operating system's id of the process.</summary>
    public int Pid { get; init; }

    /// <summary>Its purpose.</summary>
    public string Label { get; init; } = "";

    /// <summary>The actors that it hosts.</summary>
    public IReadOnlyList<string> ActorIds { get; init; } = [];

    /// <summary>The file that its output is written to.</summary>
    public string? LogFilePath { get; init; }
}
