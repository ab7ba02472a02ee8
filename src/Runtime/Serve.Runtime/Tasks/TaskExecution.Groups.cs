using Serve.Runtime.Placement;

namespace Serve.Runtime.Tasks;

/// <content>Membership in a placement group.</content>
internal abstract partial class TaskExecution
{
    /// <summary>Placement group whose resources the task uses; null for most tasks.</summary>
    public PlacementGroup? Group => plan.Queue.Group;

    /// <summary>Cancels the task because its placement group was removed. A worker that runs it is killed.</summary>
    public void CancelWithGroup()
    {
        FailAndStop(new OperationCanceledException($"{Label} was canceled: {(Group as ReservedPlacementGroup)?.RemovedBecause}"), force: true);
        Dispatcher.CancelChildren(TaskId, force: true);
    }
}
