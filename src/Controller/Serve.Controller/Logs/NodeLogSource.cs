namespace Serve.Controller.Logs;

/// <summary>A log of the node: of a replica, of a worker, or of the node's own process.</summary>
internal sealed record NodeLogSource
{
    /// <summary>Id: <c>replica:APP#DEPLOYMENT#SUFFIX</c>, <c>worker:ID</c> or <c>node</c>.</summary>
    public required string Id { get; init; }

    /// <summary><c>replica</c>, <c>worker</c> or <c>node</c>.</summary>
    public required string Kind { get; init; }

    /// <summary>The replica's application.</summary>
    public string? Application { get; init; }

    /// <summary>The replica's deployment.</summary>
    public string? Deployment { get; init; }

    /// <summary>The replica's id.</summary>
    public string? Replica { get; init; }

    /// <summary>The worker's id.</summary>
    public string? WorkerId { get; init; }

    /// <summary>The process; null if it has exited.</summary>
    public int? Pid { get; init; }

    /// <summary>Whether the process runs.</summary>
    public bool IsRunning => Pid is not null;

    /// <summary>Size of its files.</summary>
    public long Bytes { get; init; }

    /// <summary>Time of the last change in seconds since 1970.</summary>
    public double ModifiedS { get; init; }

    /// <summary>Folders and names of its files.</summary>
    internal IReadOnlyList<(string Folder, string Pattern)> Files { get; init; } = [];
}

/// <summary>Selects log lines; null or empty members select all.</summary>
internal sealed record NodeLogQuery
{
    /// <summary>Ids of sources.</summary>
    public IReadOnlyList<string> Sources { get; init; } = [];

    /// <summary>An application.</summary>
    public string? Application { get; init; }

    /// <summary>A deployment.</summary>
    public string? Deployment { get; init; }

    /// <summary>A replica, by its id or the last part of it.</summary>
    public string? Replica { get; init; }

    /// <summary>A process.</summary>
    public int? Process { get; init; }

    /// <summary>The lowest level.</summary>
    public Microsoft.Extensions.Logging.LogLevel? Level { get; init; }

    /// <summary>A part of the text, in any case.</summary>
    public string? Text { get; init; }

    /// <summary>Whether the logs of workers are read next to those of their replicas, which have the same lines.</summary>
    public bool HasBoth => Sources.Count == 0 && Process is null && Application is null;

    /// <summary>Whether a source is selected.</summary>
    /// <param name="source">The source.</param>
    public bool Includes(NodeLogSource source) =>
        (Sources.Count == 0 || Sources.Contains(source.Id)) && (Application is null || source.Application == Application) && (Deployment is null || source.Deployment == Deployment)
        && (Replica is null || source.Replica == Replica || source.Replica?.EndsWith("#" + Replica, StringComparison.Ordinal) is true)
        // The log of a worker contains the lines of its replicas.
        && (Process is null || (source.Pid == Process && source.Kind != "replica"));

    /// <summary>Whether a line is selected.</summary>
    /// <param name="line">The line.</param>
    public bool Includes(NodeLogLine line) =>
        (Level is null || line.Level >= Level) && (Text is null || line.Text.Contains(Text, StringComparison.OrdinalIgnoreCase))
        && !(HasBoth && line.Source.StartsWith("worker:", StringComparison.Ordinal) && line.IsOfReplica());
}
