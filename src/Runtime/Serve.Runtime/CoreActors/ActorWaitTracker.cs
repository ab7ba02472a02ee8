using Serve.Runtime.Tasks;

namespace Serve.Runtime.CoreActors;

/// <summary>The calls of an actor whose code waits, and what that means for the others. Written under its lock.</summary>
internal sealed class ActorWaitTracker(ActorRecord actor)
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

    /// <summary>Tells who waits, and what the actor holds until they end.</summary>
    public void Observe(WaitingTaskSnapshot seen)
    {
        var live = Live();
        ObjectRef[] all = [.. live.Select(entry => entry.Call.Reference)];
        seen.Waiting.AddRange(all);

        // A call may end while its code blocks a turn for another one, which needs that turn.
        foreach (var (context, _) in live)
        {
            if (context.TurnWait is { } wait)
                seen.Waiting.AddRange(wait.References);
        }

        if (all.Length > 0 && actor.Resources is { Allocation.Demand: { Count: > 0 } demand, Ledger: var ledger })
            seen.Holders.Add(new(ledger, demand, all, $"actor {actor}"));
    }

    /// <summary>Adds what a call that is not known to have begun needs of others that have: its turn, and that fewer of them go on than may.</summary>
    public void AddNeeds(IPendingActorCall call, object since, ICollection<ObjectDependency> needs)
    {
        var others = Live();
        others.RemoveAll(entry => entry.Call.Plan.Turns != call.Plan.Turns);
        if (others.Count == 0 || others.Exists(entry => entry.Call == call))
            return;
        if (actor.Settings.Concurrency == ConcurrencyMode.TurnBased)
        {
            foreach (var (context, holder) in others)
            {
                if (context.TurnWait is { } wait && !wait.Begun.Contains(call.Reference.Id.Number))
                    needs.Add(new ActorTurnDependency(wait, ((IObjectProducer)holder).Label));
            }
        }

        var limit = call.Plan.Group is { } group ? actor.Settings.Groups[group] : actor.Settings.MaxConcurrency;
        if (others.Count >= limit)
            needs.Add(new ObjectRefDependency(since, [.. others.Select(entry => entry.Call.Reference)], others.Count - limit + 1));
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
