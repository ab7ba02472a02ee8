namespace Serve;

/// <summary>What is known of one object.</summary>
public sealed record ObjectState
{
    /// <summary>Its id.</summary>
    public required string ObjectId { get; init; }

    /// <summary>Its bytes as stored.</summary>
    public required long Size { get; init; }

    /// <summary>Where they are: <c>memory</c>, <c>shared_memory</c>, <c>disk</c>.</summary>
    public required string Location { get; init; }

    /// <summary>The type it was stored as.</summary>
    public string? Type { get; init; }

    /// <summary>What made it: a task's name, or <c>Put</c>. Null for what this process holds itself when the task is not among those remembered (<see cref="ClusterOptions.TaskHistory"/>).</summary>
    public string? CreatedBy { get; init; }

    /// <summary>How many workers hold refs to it.</summary>
    public int Borrowers { get; init; }
}
