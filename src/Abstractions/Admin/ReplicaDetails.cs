namespace Serve.Admin;

/// <summary>One replica; Ray Serve's names.</summary>
public sealed record ReplicaDetails
{
    /// <summary>Its id, <c>app#deployment#suffix</c>.</summary>
    public required string ReplicaId { get; init; }

    /// <summary>Where it is in its life.</summary>
    public ReplicaState State { get; init; }

    /// <summary>0 to the number of replicas - 1.</summary>
    public int Rank { get; init; }

    /// <summary>Why it is there, for people.</summary>
    public string? Message { get; init; }

    /// <summary>The process that holds it, in the operating system; null while it has none.</summary>
    public int? Pid { get; init; }

    /// <summary>When it was started: seconds since 1970, UTC.</summary>
    public double? StartTimeS { get; init; }

    /// <summary>The node it is on.</summary>
    public string? NodeId { get; init; }

    /// <summary>That node's address.</summary>
    public string? NodeIp { get; init; }

    /// <summary>Its actor's id.</summary>
    public string? ActorId { get; init; }

    /// <summary>The worker that holds it; the node's id when it is in the node's own process.</summary>
    public string? WorkerId { get; init; }

    /// <summary>Its log file.</summary>
    public string? LogFilePath { get; init; }
}
