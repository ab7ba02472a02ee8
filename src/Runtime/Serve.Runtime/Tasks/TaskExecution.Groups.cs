using Serve.Runtime.Placement;

namespace Serve.Runtime.Tasks;

/// <content>A task in a placement group.</content>
internal abstract partial class TaskExecution
{
    /// <summary>The group whose resources it uses; null for most.</summary>
    public PlacementGroup? Group => plan.Queue.Group;

    /// <summary>Its group is gone: it never starts, or is told to stop; a worker that runs it is killed.</summary>
    public void CancelWithGroup()
    {
        FailAndStop(new OperationCanceledException($"{Label} was cancelled: {(Group as ReservedPlacementGroup)?.RemovedBecause}"), force: true);
        Dispatcher.CancelChildren(TaskId, force: true);
    }
}
