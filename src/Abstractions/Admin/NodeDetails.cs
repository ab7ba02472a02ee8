namespace Serve.Admin;

/// <summary>One node as <c>GET /api/v1/nodes</c> tells it.</summary>
public sealed record NodeDetails
{
    /// <summary>Its id.</summary>
    public required string NodeId { get; init; }

    /// <summary>Its process in the operating system.</summary>
    public int Pid { get; init; }

    /// <summary>The version of the platform it runs.</summary>
    public string Version { get; init; } = "";

    /// <summary>Where requests are answered: a base address.</summary>
    public string? GatewayAddress { get; init; }

    /// <summary>Where this API answers: a base address.</summary>
    public string? AdminAddress { get; init; }

    /// <summary>Where it keeps its state.</summary>
    public string? StateDir { get; init; }

    /// <summary>When it started: seconds since 1970, UTC.</summary>
    public double StartTimeS { get; init; }

    /// <summary>What it has, by resource name.</summary>
    public IReadOnlyDictionary<string, double> ResourcesTotal { get; init; } = new Dictionary<string, double>();

    /// <summary>What of it is reserved, by resource name.</summary>
    public IReadOnlyDictionary<string, double> ResourcesReserved { get; init; } = new Dictionary<string, double>();

    /// <summary>Its worker processes.</summary>
    public IReadOnlyList<WorkerProcessDetails> Workers { get; init; } = [];
}
