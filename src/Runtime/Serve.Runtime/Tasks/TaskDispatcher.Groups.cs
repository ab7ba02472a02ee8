using Serve.Runtime.Placement;

namespace Serve.Runtime.Tasks;

/// <content>Removal of placement groups.</content>
internal sealed partial class TaskDispatcher : IPlacementGroupOccupant
{
    /// <summary>Whether leases return their resources after each task because a placement group waits for them.</summary>
    public bool IsGroupWaiting { get; set; }

    void IPlacementGroupOccupant.CancelGroupWork(PlacementGroup group)
    {
        foreach (var task in ListUnfinished())
        {
            if (task.Group == group)
                task.CancelWithGroup();
        }
    }

    void IPlacementGroupOccupant.SetGroupWaiting(bool waits) => IsGroupWaiting = waits;
}
