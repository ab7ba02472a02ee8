using Serve.Runtime.Placement;

namespace Serve.Runtime.Tasks;

/// <content>Dependencies, for the deadlock detector.</content>
internal abstract partial class TaskExecution
{
    public void AddDependencies(ICollection<ObjectDependency> dependencies)
    {
        switch (Volatile.Read(ref _phase))
        {
            case AwaitsArguments:
                var arguments = new List<ObjectRef>();
                CollectRefs(arguments);
                ObjectDependency.AddRequired(dependencies, this, arguments, arguments.Count, untilFault: true);
                break;
            case Queued when Group is ReservedPlacementGroup { IsReserved: false } group:
                group.AddTo(dependencies);
                break;
            case Queued when plan.Queue.Ledgers.Length == 1:
                WaitingResourceHolder.AddDependencies(dependencies, Dispatcher.WaitingHolders, _attempt, plan.Queue.Ledgers, plan.Queue.Demand, plan.Queue);
                break;

            // A timeout ends the task in any case.
            case Running when plan.Timeout is null:
                AddWaits(dependencies);
                if (InlineTask is { } inner)
                    dependencies.Add(new(inner.Reference, inner));
                break;
        }
    }

    void IObjectProducer.Fail(Exception failure)
    {
        FailUnstarted(failure);
        reference.TrySetException(failure);
    }

    /// <summary>Task that runs inline on this task's thread, because this one waits for it.</summary>
    private TaskExecution? InlineTask
    {
        get
        {
            var inner = _slot?.Current;
            while (inner is not null && inner.OuterTask != this)
                inner = inner.OuterTask;
            return inner;
        }
    }
}
