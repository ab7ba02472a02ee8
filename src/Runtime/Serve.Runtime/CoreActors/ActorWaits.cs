using Serve.Runtime.Tasks;

namespace Serve.Runtime.CoreActors;

/// <summary>The calls of an actor whose code waits, and what that means for the others. Written under its lock.</summary>
internal sealed class ActorWaits(CoreActor actor)
{
    private readonly HashSet<CallTaskContext> waiting = [];

    public void Add(CallTaskContext call)
    {
        lock (waiting)
            waiting.Add(call);
    }

    public void Remove(CallTaskContext call)
    {
        lock (waiting)
            waiting.Remove(call);
    }

    /// <summary>Tells who waits, and what the actor holds until they end.</summary>
    public void Observe(WaitSnapshot seen)
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
    public void AddNeeds(IActorCall call, object since, ICollection<ObjectNeed> needs)
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
                    needs.Add(new NeedOfTurn(wait, ((IObjectProducer)holder).Label));
            }
        }

        var limit = call.Plan.Group is { } group ? actor.Settings.Groups[group] : actor.Settings.MaxConcurrency;
        if (others.Count >= limit)
            needs.Add(new NeedOfRefs(since, [.. others.Select(entry => entry.Call.Reference)], others.Count - limit + 1));
    }

    private List<(CallTaskContext Context, IActorCall Call)> Live()
    {
        var live = new List<(CallTaskContext, IActorCall)>();
        lock (waiting)
        {
            foreach (var context in waiting)
            {
                if (context.Call is { Reference.IsReady: false } call)
                    live.Add((context, call));
            }
        }

        return live;
    }
}
