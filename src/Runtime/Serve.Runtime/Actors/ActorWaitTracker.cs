using Serve.Runtime.Tasks;

namespace Serve.Runtime.Actors;

/// <summary>Calls of an actor whose code waits, for the deadlock detector. Written under its lock.</summary>
internal sealed class ActorWaitTracker(ActorCallQueue queue)
{
    private readonly HashSet<ActorCallTaskContext> _waiting = [];

    public void Add(ActorCallTaskContext call)
    {
        lock (_waiting)
            _waiting.Add(call);
    }

    public void Remove(ActorCallTaskContext call)
    {
        lock (_waiting)
            _waiting.Remove(call);
    }

    /// <summary>Adds the waiting calls and the resources that the actor holds.</summary>
    public void Observe(WaitingTaskSnapshot snapshot)
    {
        var live = Live();
        ObjectRef[] all = [.. live.Select(entry => entry.Call.Reference)];
        snapshot.Waiting.AddRange(all);

        // A call may finish while its code blocks a turn for another call that needs that turn.
        foreach (var (context, _) in live)
        {
            if (context.TurnWait is { } wait)
                snapshot.Waiting.AddRange(wait.References);
        }

        if (all.Length > 0 && queue.Actor.Resources is { Allocation.Demand: { Count: > 0 } demand, Ledger: var ledger })
            snapshot.Holders.Add(new(ledger, demand, all, $"actor {queue.Actor}"));
    }

    /// <summary>Adds the dependencies of a call that may not have begun on calls that have: its turn, and a free place in an actor that admits one call at a time.</summary>
    public void AddDependencies(IPendingActorCall call, object since, ICollection<ObjectDependency> dependencies)
    {
        var others = Live();
        others.RemoveAll(entry => entry.Call.Plan.Turns != call.Plan.Turns);
        if (others.Count == 0 || others.Exists(entry => entry.Call == call))
            return;
        if (queue.Options.Concurrency == ConcurrencyMode.TurnBased)
        {
            foreach (var (context, holder) in others)
            {
                // The turn is free only when the wait that blocks it has ended.
                if (context.TurnWait is not { } wait || wait.Begun.Contains(call.Reference.Id.Number) || wait.Count < wait.References.Count)
                    continue;
                foreach (var reference in wait.References.Where(static reference => !reference.IsReady))
                    dependencies.Add(new(reference, wait, $"waits for {((IObjectProducer)holder).Label}, which blocks its actor until {reference.Producer?.Label ?? $"object {reference.Id}"} is ready"));
            }
        }

        var limit = call.Plan.Group is { } group ? queue.Options.Groups[group] : queue.Options.MaxConcurrency;
        if (limit == 1)
            dependencies.Add(new(others[0].Call.Reference, since));
    }

    private List<(ActorCallTaskContext Context, IPendingActorCall Call)> Live()
    {
        var live = new List<(ActorCallTaskContext, IPendingActorCall)>();
        lock (_waiting)
        {
            foreach (var context in _waiting)
            {
                if (context.Call is { Reference.IsReady: false } call)
                    live.Add((context, call));
            }
        }

        return live;
    }
}
