using Serve.Runtime.Placement;

namespace Serve.Runtime.Tasks;

/// <content>What it cannot go on without.</content>
internal abstract partial class SubmittedTask
{
    public void AddNeeds(ICollection<ObjectNeed> needs)
    {
        switch (Volatile.Read(ref phase))
        {
            case AwaitsArguments:
                var arguments = new List<ObjectRef>();
                CollectRefs(arguments);
                needs.Add(new NeedOfRefs(this, arguments, arguments.Count, untilFault: true));
                break;
            case Queued when Group is ReservedGroup { IsReserved: false } group:
                needs.Add(group.Need);
                break;
            case Queued when Dispatcher.Deadlocks.Holders is { Count: > 0 } holders:
                needs.Add(new NeedOfResources(attempt, plan.Queue.Ledgers, plan.Queue.Demand, plan.Queue, holders));
                break;

            // A timeout of its own ends it whatever it waits for.
            case Running when plan.Timeout is null:
                AddWaits(needs);
                if (Inner is { } inner)
                    needs.Add(new NeedOfRefs(inner, [inner.Reference], 1));
                break;
        }
    }

    void IObjectProducer.Fail(Exception failure)
    {
        EndUnstarted(failure);
        reference.TrySetException(failure);
    }

    /// <summary>The task that its thread runs meanwhile because it waits for that.</summary>
    private SubmittedTask? Inner
    {
        get
        {
            var inner = slot?.Current;
            while (inner is not null && inner.Outer != this)
                inner = inner.Outer;
            return inner;
        }
    }
}
