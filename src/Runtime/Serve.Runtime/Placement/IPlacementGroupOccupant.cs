using Serve.Runtime.Tasks;

namespace Serve.Runtime.Placement;

/// <summary>Component that runs work in placement groups and cancels it when a group is removed: tasks and actors.</summary>
internal interface IPlacementGroupOccupant
{
    /// <summary>Cancels everything that runs or waits in a group; must not throw. Resources of the group's ledgers are released when the work has ended.</summary>
    void CancelGroupWork(PlacementGroup group);

    /// <summary>Sets whether a placement group waits for resources. Components that keep resources for later work then release them first.</summary>
    void SetGroupWaiting(bool waits)
    {
    }

    /// <summary>Resolves the ledgers of groups again, because bundles have been lost with their node and have new ledgers.</summary>
    void OnBundlesLost()
    {
    }
}

/// <summary>Waits of tasks for placement groups, as the deadlock detector needs them.</summary>
internal interface IPlacementWaits
{
    /// <summary>Waiting holders of resources, as found by the current poll for deadlocks.</summary>
    IReadOnlyList<WaitingResourceHolder> WaitingHolders { get; }

    /// <summary>Creates an object that represents the reservation of a group.</summary>
    ObjectRef<bool> CreateReservation(IObjectProducer producer);
}
