namespace Serve.Runtime.Placement;

/// <summary>Something that runs work in placement groups, and ends it when a group is removed: the tasks, the actors.</summary>
internal interface IPlacementGroupOccupant
{
    /// <summary>Ends all that runs, or waits to run, in a group; must not throw. What it holds of the group's ledgers is released when it has ended.</summary>
    void CancelGroupWork(PlacementGroup group);

    /// <summary>Says whether a group waits for resources that it must be let have: who keeps some for what comes next gives them back first.</summary>
    void SetGroupWaiting(bool waits)
    {
    }
}
