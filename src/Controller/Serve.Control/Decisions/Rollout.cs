namespace Serve.Control;

/// <summary>
/// Brings one deployment to its goal: starts what is missing, within the surge; lets go what is too much, only after routes without it are
/// in force; tells the rest what changed. Never below what is wanted, unless there is room for nothing else.
/// </summary>
internal sealed class Rollout
{
    private readonly PlanDraft draft;
    private readonly DeploymentGoal goal;
    private readonly Selection selection;
    private readonly bool isTight;
    private string? waiting;

    private Rollout(PlanDraft draft, DeploymentGoal goal)
    {
        this.draft = draft;
        this.goal = goal;
        selection = Selection.Of(goal, draft.Observed);
        isTight = IsTight();
        if (MustGiveUpOne())
            selection.GiveUpOne();
    }

    /// <summary>Decides about one deployment.</summary>
    public static DeploymentOutcome Decide(PlanDraft draft, DeploymentGoal goal)
    {
        var rollout = new Rollout(draft, goal);
        Departures.Decide(draft, goal, rollout.selection.Leave);
        rollout.Start();
        var isTold = rollout.Tell();
        HealthChecks.Decide(draft, rollout.selection.Stay.Concat(rollout.selection.OldKept));
        return rollout.Outcome(isTold);
    }

    private DeploymentOutcome Outcome(bool isTold) => new(goal)
    {
        Routed = [.. selection.Stay.Where(replica => replica.Phase == ReplicaPhase.Running)
            .Concat(selection.OldKept)
            .OrderBy(replica => replica.Rank)
            .ThenBy(replica => replica.Id.Suffix, StringComparer.Ordinal)],
        Ready = selection.Ready,
        Old = selection.OldNeeded,
        Waiting = waiting,
        IsSteady = isTold && selection.Ready == goal.Wanted && selection.Live.Count == goal.Wanted,
        Remaining = draft.Observed.Of(goal.Id).Count(),
    };

    private void Start()
    {
        // What is leaving still counts until its stop is under way, so that there are never more than wanted and the surge.
        var room = goal.Wanted + goal.Surge - selection.Live.Count;
        if (goal.Fallback is { } fallback)
        {
            var kept = selection.OldKept.Concat(selection.OldStarting).Where(replica => replica.Deployment.Version == fallback.Version).ToList();
            var missing = Math.Min(goal.Wanted - (isTight ? 1 : 0) - selection.OldNeeded - selection.OldStarting.Count, room);
            room -= Start(goal.FallbackRevision!, fallback, kept, missing);
        }

        if (goal.Target is { } target && !goal.IsFrozen)
        {
            var wanted = goal.Fallback is null ? goal.Wanted : Math.Min(goal.Surge, goal.Wanted);
            Start(goal.Revision!, target, selection.Stay, Math.Min(wanted - selection.Stay.Count, room));
        }
    }

    private int Start(ApplicationRevision revision, DeploymentTarget target, IReadOnlyCollection<ObservedReplica> existing, int count)
    {
        if (count <= 0)
            return 0;
        var history = draft.Observed.History(StartKey.Of(goal.Id, target));
        if (draft.IsBefore(history.NotBefore))
        {
            waiting = history.Shortage is { } shortage ? $"waits for room: {shortage}" : $"tries again soon; the last try: {history.Error ?? history.Death}";
            return 0;
        }

        var demand = ResourceAmounts.Of(target.Spec.Resources);
        var (_, free) = Ranks.Assign(existing, Math.Max(goal.Wanted, existing.Count));
        var started = 0;
        for (; started < count; started++)
        {
            if (!draft.TrySpend(demand))
            {
                waiting = $"waits for room: {demand.Compare(draft.Free!, "free")}";
                draft.IsBefore(draft.Now + ControlTimes.Recheck);
                break;
            }

            var rank = free.Dequeue();
            draft.Add(generation => new ControlAction.StartReplica(
                generation, ReasonToStart(history, target), draft.NewReplica(goal.Id, generation), revision, target, rank, goal.Wanted));
        }

        return started;
    }

    private string ReasonToStart(StartHistory history, DeploymentTarget target) => history switch
    {
        { Failures: > 0 } => $"try {history.Failures + 1}; the last failed: {history.Error}",
        { Death: { } death } when draft.Now - history.CrashedAt < ControlTimes.Recent => $"replaces one that is gone: {death}",
        _ when selection.OldRunning.Count > 0 && target == goal.Target => "new version",
        _ => $"{goal.Wanted} wanted",
    };

    // True when nothing needs to be told any more.
    private bool Tell()
    {
        if (goal.Target is not { } target)
            return true;
        var (ranks, _) = Ranks.Assign(selection.Stay, Math.Max(goal.Wanted, selection.Stay.Count));
        var isTold = true;
        foreach (var replica in selection.Stay)
        {
            var rank = ranks[replica.Id];
            if (replica.Deployment.Settings == target.Settings && replica.Rank == rank && replica.WorldSize == goal.Wanted && replica.Pending is null)
                continue;
            isTold = false;
            if (replica.Phase == ReplicaPhase.Running && replica.InFlight is null && !draft.IsBefore(replica.NotBefore))
            {
                draft.Add(generation => new ControlAction.ReconfigureReplica(
                    generation, replica.Deployment.Settings == target.Settings ? "rank or world size changed" : "settings changed",
                    replica.Id, target, rank, goal.Wanted));
            }
        }

        return isTold;
    }

    // Whether the old replicas at full strength leave no room for a new one.
    private bool IsTight()
    {
        if (goal.Target is not { } target || goal.IsFrozen || draft.Free is not { } free || selection.OldRunning.Count == 0 && goal.Fallback is null)
            return false;
        var demand = ResourceAmounts.Of(target.Spec.Resources);
        if (demand.Units.IsEmpty)
            return false;
        if (draft.Observed.History(StartKey.Of(goal.Id, target)).Shortage is not null)
            return true;
        var held = selection.Live.Aggregate(ResourceAmounts.None, (sum, replica) => sum.Plus(ResourceAmounts.Of(replica.Deployment.Spec.Resources)));
        var old = goal.Fallback ?? selection.OldRunning[0].Deployment;
        var needed = ResourceAmounts.Of(old.Spec.Resources).Times(Math.Max(0, goal.Wanted - selection.Ready)).Plus(demand.Times(selection.Ready + 1));
        return !needed.FitsIn(free.Plus(held));
    }

    private bool MustGiveUpOne()
    {
        if (!isTight || selection.OldNeeded == 0 || selection.Stay.Count >= goal.Wanted
            || selection.Ready < selection.Stay.Count || selection.Ready + selection.OldNeeded < goal.Wanted)
            return false;

        // What is on its way out may make the room by itself.
        if (draft.Observed.Replicas.Values.Any(replica => !replica.IsLive && !ResourceAmounts.Of(replica.Deployment.Spec.Resources).Units.IsEmpty))
            return false;
        var demand = ResourceAmounts.Of(goal.Target!.Spec.Resources);
        var given = ResourceAmounts.Of(selection.OldRunning[selection.OldNeeded - 1].Deployment.Spec.Resources);
        return demand.FitsIn(draft.Free!.Plus(given));
    }
}
