namespace Serve.Runtime.Tasks;

/// <content>Nodes: tasks with process isolation run in workers of any node, other tasks in threads of the driver.</content>
public sealed partial class TaskDispatcher
{
    private bool IsLocal(ResourceLedger ledger) => ledger.NodeId is not { } id || id == _nodes.Current[0].Id;

    private void OnNodesChanged()
    {
        foreach (var (queue, failure) in _plans.RefreshLedgers())
        {
            foreach (var task in queue.Tasks)
                task.FailAndStop(failure, force: false);
        }

        OnReleased();
    }

    /// <summary>Executor of a node that has left between the grant of its resources and the start of an attempt.</summary>
    private sealed class LeftNodeExecutor : ITaskExecutor
    {
        public static LeftNodeExecutor Instance { get; } = new();

        public void Start(ITaskAttempt attempt) => attempt.ReportFailure(new ObjectLostException($"{attempt.Name} could not start because its node has left the cluster."), isSystem: true);

        public void Kill(ITaskAttempt attempt)
        {
        }
    }
}
