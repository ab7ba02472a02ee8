namespace Serve.Admin;

/// <summary>One worker process.</summary>
public sealed record WorkerProcessDetails
{
    /// <summary>Its id.</summary>
    public required string WorkerId { get; init; }

    /// <summary>Its process id in the operating system.</summary>
    public int Pid { get; init; }

    /// <summary>What it is for.</summary>
    public string Label { get; init; } = "";

    /// <summary>The actors it holds.</summary>
    public IReadOnlyList<string> ActorIds { get; init; } = [];

    /// <summary>Where its output goes.</summary>
    public string? LogFilePath { get; init; }
}
