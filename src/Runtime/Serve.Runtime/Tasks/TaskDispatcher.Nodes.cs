namespace Serve.Runtime.Tasks;

/// <content>Nodes: tasks with process isolation run in workers of any node, other tasks in threads of the driver.</content>
public sealed partial class TaskDispatcher
{
    /// <summary>Resolves the ledgers of all queues again, because nodes or bundles of placement groups have changed.</summary>
    public void RefreshLedgers()
    {
        foreach (var (queue, failure) in _plans.RefreshLedgers())
        {
            foreach (var task in queue.Tasks)
                task.FailAndStop(failure, force: false);
        }

        OnReleased();
    }

    /// <summary>Whether the tasks of a queue can only run in this process, but their resources are on other nodes.</summary>
    private bool IsMisplaced(TaskQueue queue)
    {
        if (queue.RunsInWorker)
            return false;
        foreach (var ledger in queue.Ledgers)
        {
            if (_nodes.IsLocal(ledger))
                return false;
        }

        return true;
    }

    private static void FailMisplaced(TaskQueue queue)
    {
        foreach (var task in queue.Tasks)
        {
            task.FailAndStop(
                new InsufficientResourcesException($"{task.Label} runs in the driver's process, but its resources are on node '{queue.Ledgers[0].NodeId}'. Set Isolation.Process to run it there.", isPermanent: true),
                force: false);
        }
    }

    /// <summary>Executor of a cluster whose worker processes cannot be started: fails every attempt with the reason.</summary>
    private sealed class UnavailableExecutor(Exception reason) : ITaskExecutor
    {
        public void Start(ITaskAttempt attempt) => attempt.ReportFailure(
            reason as ObjectDisposedException ?? (Exception)new WorkerDiedException($"No worker could be started for {attempt.Name}. {reason.Message}", reason), isSystem: false);

        public void Kill(ITaskAttempt attempt)
        {
        }
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
