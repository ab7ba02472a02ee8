namespace Serve.Runtime.Scheduling;

/// <summary>Finds the ledger that a task's or actor's resources come from: the node's, or that of a bundle.</summary>
internal interface ILedgerSource
{
    /// <summary>The ledgers that may serve it, best first; more than one when any bundle of a group will do. Allocates nothing when there is no strategy.</summary>
    /// <exception cref="InsufficientResourcesException">None can ever: the group is gone, the node does not exist.</exception>
    IReadOnlyList<ResourceLedger> LedgersFor(SchedulingStrategy? strategy);

    /// <summary>Those of them that could ever serve so much, so that a bundle that is too small is not asked.</summary>
    /// <exception cref="InsufficientResourcesException">None can ever.</exception>
    IReadOnlyList<ResourceLedger> LedgersFor(SchedulingStrategy? strategy, ResourceDemand demand);
}
