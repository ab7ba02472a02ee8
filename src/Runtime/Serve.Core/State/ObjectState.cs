namespace Serve;

/// <summary>The state of one object.</summary>
public sealed record ObjectState
{
    /// <summary>The object's id.</summary>
    public required string ObjectId { get; init; }

    /// <summary>The serialized size in bytes.</summary>
    public required long Size { get; init; }

    /// <summary>The location: <c>memory</c>, <c>shared_memory</c> or <c>disk</c>.</summary>
    public required string Location { get; init; }

    /// <summary>The type it was stored as.</summary>
    public string? Type { get; init; }

    /// <summary>The producer: a task's name, or <c>Put</c>. Null if the object is in this process and the task is no longer in the history (<see cref="ClusterOptions.TaskHistory"/>).</summary>
    public string? CreatedBy { get; init; }

    /// <summary>The number of workers that borrow the object.</summary>
    public int Borrowers { get; init; }
}
