using Serve.Runtime.Placement;

namespace Serve.Runtime.Tasks;

/// <content>What a placement group's end means for tasks.</content>
internal sealed partial class TaskDispatcher : IGroupOccupants
{
    /// <summary>Whether slots are to give their resources back after each task, because a placement group waits for them.</summary>
    public bool IsGroupWaiting { get; set; }

    void IGroupOccupants.EndIn(PlacementGroup group)
    {
        foreach (var task in Live())
        {
            if (task.Group == group)
                task.EndWithGroup();
        }
    }

    void IGroupOccupants.GroupWaits(bool waits) => IsGroupWaiting = waits;
}
