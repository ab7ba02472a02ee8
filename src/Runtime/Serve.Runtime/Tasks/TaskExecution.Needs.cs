using Serve.Runtime.Placement;

namespace Serve.Runtime.Tasks;

/// <content>What it cannot go on without.</content>
internal abstract partial class TaskExecution
{
    public void AddDependencies(ICollection<ObjectDependency> needs)
    {
        switch (Volatile.Read(ref _phase))
        {
            case AwaitsArguments:
                var arguments = new List<ObjectRef>();
                CollectRefs(arguments);
                needs.Add(new ObjectRefDependency(this, arguments, arguments.Count, untilFault: true));
                break;
            case Queued when Group is ReservedPlacementGroup { IsReserved: false } group:
                needs.Add(group.Need);
                break;
            case Queued when Dispatcher.Deadlocks.Holders is { Count: > 0 } holders:
                needs.Add(new ResourceDependency(_attempt, plan.Queue.Ledgers, plan.Queue.Demand, plan.Queue, holders));
                break;

            // A timeout of its own ends it whatever it waits for.
            case Running when plan.Timeout is null:
                AddWaits(needs);
                if (InlineTask is { } inner)
                    needs.Add(new ObjectRefDependency(inner, [inner.Reference], 1));
                break;
        }
    }

    void IObjectProducer.Fail(Exception failure)
    {
        FailUnstarted(failure);
        reference.TrySetException(failure);
    }

    /// <summary>The task that its thread runs meanwhile because it waits for that.</summary>
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
