namespace Serve.Workflows.Storage;

/// <summary>
/// Stores workflows, their histories and timers. <see cref="Commit"/> is called by one thread at a time; the other members by any thread.
/// </summary>
public abstract class WorkflowStore : IAsyncDisposable
{
    /// <summary>Gets the display name, for messages.</summary>
    public abstract string Name { get; }

    /// <summary>Gets the folder of payloads that are too large for a row; null if rows can contain all payloads.</summary>
    public abstract string? PayloadFolder { get; }

    /// <summary>Gets how often <see cref="Claim"/> is called; null for a store with one host.</summary>
    public virtual TimeSpan? ClaimInterval => null;

    /// <summary>Gets the latest time that the store contains; the host's clock never returns an earlier one.</summary>
    public abstract DateTimeOffset LastTime { get; }

    /// <summary>Opens the store: creates or checks the schema.</summary>
    /// <exception cref="WorkflowStorageException">The storage cannot be used; the message contains the reason and the remedy.</exception>
    public abstract void Open();

    /// <summary>Applies changes in one durable transaction and sets their results. Applies either all changes or none.</summary>
    /// <param name="writes">The changes in order.</param>
    /// <param name="now">The time of the commit.</param>
    public abstract void Commit(IReadOnlyList<StoreWrite> writes, DateTimeOffset now);

    /// <summary>Returns whether this host runs a workflow.</summary>
    /// <param name="record">The workflow.</param>
    /// <returns>Whether this host runs it; true for a store with one host.</returns>
    public virtual bool IsOwned(WorkflowRecord record) => true;

    /// <summary>Renews the lease of this host and takes over workflows of hosts whose lease has expired.</summary>
    /// <returns>The ids of the workflows that this host has taken over.</returns>
    /// <exception cref="WorkflowLeaseException">The lease of this host has expired.</exception>
    public virtual IReadOnlyList<string> Claim() => [];

    /// <summary>Starts to notify about changes that other hosts make.</summary>
    /// <param name="changed">Receives the id of a workflow that has ended, or whose history has new entries; an empty id if notifications may have been missed.</param>
    public virtual void Listen(Action<string> changed)
    {
    }

    /// <summary>Returns whether a failed commit can succeed later, for example because the disk is full.</summary>
    /// <param name="failure">The exception of <see cref="Commit"/>.</param>
    /// <returns>Whether to repeat the commit.</returns>
    public abstract bool IsTransient(Exception failure);

    /// <summary>Finds a workflow.</summary>
    /// <param name="workflowId">Its id.</param>
    /// <returns>The workflow, or null.</returns>
    public abstract WorkflowRecord? Find(string workflowId);

    /// <summary>Reads the history of a workflow's current run.</summary>
    /// <param name="workflowId">Its id.</param>
    /// <param name="after">Only entries after this position. Default: all.</param>
    /// <returns>The entries in order.</returns>
    public abstract IReadOnlyList<HistoryRow> ReadHistory(string workflowId, long after = 0);

    /// <summary>Reads the timers of a workflow.</summary>
    /// <param name="workflowId">Its id.</param>
    /// <returns>The timers.</returns>
    public abstract IReadOnlyList<WorkflowTimer> ReadTimers(string workflowId);

    /// <summary>Reads the timers that are due before a time.</summary>
    /// <param name="before">The time.</param>
    /// <param name="limit">Maximum number.</param>
    /// <returns>The earliest timers, in order.</returns>
    public abstract IReadOnlyList<WorkflowTimer> ReadTimersDue(DateTimeOffset before, int limit);

    /// <summary>Lists workflows by id.</summary>
    /// <param name="status">Only workflows with this status; null for all.</param>
    /// <param name="after">Only ids after this one; empty for all.</param>
    /// <param name="limit">Maximum number.</param>
    /// <returns>The workflows in order of their ids.</returns>
    public abstract IReadOnlyList<WorkflowRecord> List(WorkflowStatus? status, string after, int limit);

    /// <summary>Lists running workflows that do not only wait for events or timers.</summary>
    /// <param name="after">Only ids after this one; empty for all.</param>
    /// <param name="limit">Maximum number.</param>
    /// <returns>Their ids in order.</returns>
    public abstract IReadOnlyList<string> ReadRunnable(string after, int limit);

    /// <summary>Lists workflows that ended before a time.</summary>
    /// <param name="before">The time.</param>
    /// <param name="limit">Maximum number.</param>
    /// <returns>Their ids.</returns>
    public abstract IReadOnlyList<string> ReadEnded(DateTimeOffset before, int limit);

    /// <summary>Returns the hashes of all payload files that are in use.</summary>
    /// <returns>The hashes.</returns>
    public abstract IReadOnlyCollection<string> ReadPayloadHashes();

    /// <summary>Returns the payload files whose last reference was removed since the previous call.</summary>
    /// <returns>Their hashes.</returns>
    public abstract IReadOnlyList<string> TakeUnusedPayloads();

    /// <inheritdoc/>
    public abstract ValueTask DisposeAsync();
}
