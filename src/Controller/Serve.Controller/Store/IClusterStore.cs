using Serve.Control.Desired;

namespace Serve.Controller.Store;

/// <summary>
/// Persistent state of the cluster: the desired applications, the controller's lease, and the membership rows. One controller at a time may write: saving
/// requires the newest epoch, which only acquiring the lease raises.
/// </summary>
public interface IClusterStore : IDisposable
{
    /// <summary>Loads the stored applications.</summary>
    /// <exception cref="StateStoreException">The store cannot be read.</exception>
    Task<IReadOnlyList<DesiredApplication>> LoadAsync(CancellationToken cancellationToken);

    /// <summary>Stores applications and removes others in one transaction. Completes once the change survives a crash.</summary>
    /// <param name="epoch">The epoch of the caller's lease.</param>
    /// <param name="saved">Applications to add or replace.</param>
    /// <param name="removed">Names of applications to remove.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <exception cref="StaleEpochException">A newer controller has acquired the lease; nothing was changed.</exception>
    /// <exception cref="StateStoreException">The store cannot be written; nothing was changed.</exception>
    Task SaveAsync(long epoch, IReadOnlyCollection<DesiredApplication> saved, IReadOnlyCollection<string> removed, CancellationToken cancellationToken);

    /// <summary>Acquires the controller's lease if it is free, expired or held by the same holder. Each success raises the epoch.</summary>
    /// <param name="holder">The node of the controller.</param>
    /// <param name="duration">Time until the lease expires by the store's clock; <see cref="Timeout.InfiniteTimeSpan"/> if it does not.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <returns>The lease; null if another controller holds it.</returns>
    Task<ControllerLease?> TryAcquireLeaseAsync(NodeId holder, TimeSpan duration, CancellationToken cancellationToken);

    /// <summary>Extends a lease.</summary>
    /// <returns>False if another controller has acquired it or it has been released: the caller must stop acting.</returns>
    Task<bool> TryRenewLeaseAsync(ControllerLease lease, TimeSpan duration, CancellationToken cancellationToken);

    /// <summary>Releases a lease. Has no effect if another controller has acquired it.</summary>
    Task ReleaseLeaseAsync(ControllerLease lease, CancellationToken cancellationToken);

    /// <summary>Reads the membership rows.</summary>
    Task<MembershipTable> ReadMembershipAsync(CancellationToken cancellationToken);

    /// <summary>Writes a row, or removes it if its document is null.</summary>
    /// <param name="row">The row; its version must be the stored one, or 0 for a new row.</param>
    /// <param name="tableVersion">The version of the table that the caller has read.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <returns>False if the row or the table has changed since; nothing was written.</returns>
    Task<bool> TryWriteMemberAsync(MembershipRow row, long tableVersion, CancellationToken cancellationToken);
}

/// <summary>Permission to act as the controller.</summary>
/// <param name="Epoch">Number of the lease; a higher one invalidates all lower ones.</param>
/// <param name="Holder">The node of the controller.</param>
public sealed record ControllerLease(long Epoch, NodeId Holder);

/// <summary>All membership rows at one version.</summary>
public sealed record MembershipTable(long Version, IReadOnlyList<MembershipRow> Rows);

/// <summary>Membership data of one node. The store does not interpret the document.</summary>
public sealed record MembershipRow(NodeId Node, string? Document, long Version);

/// <summary>The store cannot be read or written. The message names the file, the problem and the remedy; nothing was overwritten.</summary>
public class StateStoreException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>A save was rejected because a newer controller has acquired the lease.</summary>
public sealed class StaleEpochException(long epoch, long newest)
    : StateStoreException($"The epoch of the controller must be the newest, {newest}, but was {epoch}. Another controller has taken over.");
