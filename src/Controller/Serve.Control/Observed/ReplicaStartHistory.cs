namespace Serve.Control;

/// <summary>How starting and keeping up replicas of one version went so far.</summary>
public sealed record ReplicaStartHistory
{
    /// <summary>Nothing tried yet.</summary>
    public static ReplicaStartHistory None { get; } = new();

    /// <summary>How many starts or reconfigurations failed since the last that succeeded.</summary>
    public int Failures { get; init; }

    /// <summary>What the last of them failed with.</summary>
    public string? Error { get; init; }

    /// <summary>How many times in a row replicas died soon after they had come up; those that died together count once.</summary>
    public int Crashes { get; init; }

    /// <summary>When replicas last died.</summary>
    public DateTimeOffset CrashedAt { get; init; }

    /// <summary>How a replica last died.</summary>
    public string? Death { get; init; }

    /// <summary>No start before.</summary>
    public DateTimeOffset NotBefore { get; init; }

    /// <summary>Whether a replica of it ever ran.</summary>
    public bool HasRun { get; init; }

    /// <summary>What the node refused to reserve, when that was the last answer.</summary>
    public string? Shortage { get; init; }

    /// <summary>Whether the node said it can never reserve it.</summary>
    public bool IsUnplaceable { get; init; }
}
