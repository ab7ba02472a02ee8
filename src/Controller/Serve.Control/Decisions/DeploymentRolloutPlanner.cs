namespace Serve.Control;

/// <summary>
/// Brings one deployment to its goal: starts what is missing, within the surge; lets go what is too much, only after routes without it are
/// in force; tells the rest what changed. Never below what is wanted, unless there is room for nothing else.
/// </summary>
internal sealed class DeploymentRolloutPlanner
{
    private readonly ReconciliationPlanBuilder _draft;
    private readonly DeploymentGoal _goal;
    private readonly ReplicaSelection _selection;
    private readonly bool _isTight;
    private string? _waiting;

    private DeploymentRolloutPlanner(ReconciliationPlanBuilder draft, DeploymentGoal goal)
    {
        this._draft = draft;
        this._goal = goal;
        _selection = ReplicaSelection.Of(goal, draft.Observed);
        _isTight = IsTight();
        if (MustGiveUpOne())
            _selection.ReleaseOneOld();
    }

    /// <summary>Decides about one deployment.</summary>
    public static DeploymentRolloutResult Plan(ReconciliationPlanBuilder draft, DeploymentGoal goal)
    {
        var rollout = new DeploymentRolloutPlanner(draft, goal);
        ReplicaScaleDownPlanner.Plan(draft, goal, rollout._selection.Surplus);
        rollout.Start();
        var isTold = rollout.Reconfigure();
        HealthCheckPlanner.Plan(draft, rollout._selection.Kept.Concat(rollout._selection.OldKept));
        return rollout.Outcome(isTold);
    }

    private DeploymentRolloutResult Outcome(bool isTold) => new(_goal)
    {
        Routed = [.. _selection.Kept.Where(replica => replica.Phase == ReplicaPhase.Running)
            .Concat(_selection.OldKept)
            .OrderBy(replica => replica.Rank)
            .ThenBy(replica => replica.Id.Suffix, StringComparer.Ordinal)],
        Ready = _selection.Ready,
        Old = _selection.OldNeeded,
        Waiting = _waiting,
        IsSteady = isTold && _selection.Ready == _goal.TargetReplicas && _selection.Live.Count == _goal.TargetReplicas,
        Remaining = _draft.Observed.ReplicasOf(_goal.Id).Count(),
    };

    private void Start()
    {
        // What is leaving still counts until its stop is under way, so that there are never more than wanted and the surge.
        var room = _goal.TargetReplicas + _goal.Surge - _selection.Live.Count;
        if (_goal.FallbackDeployment is { } fallback)
        {
            var kept = _selection.OldKept.Concat(_selection.OldStarting).Where(replica => replica.Deployment.Version == fallback.Version).ToList();
            var missing = Math.Min(_goal.TargetReplicas - (_isTight ? 1 : 0) - _selection.OldNeeded - _selection.OldStarting.Count, room);
            room -= Start(_goal.FallbackRevision!, fallback, kept, missing);
        }

        if (_goal.Deployment is { } target && !_goal.IsFrozen)
        {
            var wanted = _goal.FallbackDeployment is null ? _goal.TargetReplicas : Math.Min(_goal.Surge, _goal.TargetReplicas);
            Start(_goal.Revision!, target, _selection.Kept, Math.Min(wanted - _selection.Kept.Count, room));
        }
    }

    private int Start(ApplicationRevision revision, DeploymentRevision target, IReadOnlyCollection<ObservedReplica> existing, int count)
    {
        if (count <= 0)
            return 0;
        var history = _draft.Observed.StartHistoryOf(ReplicaStartKey.Of(_goal.Id, target));
        if (_draft.MustWaitUntil(history.NotBefore))
        {
            _waiting = history.Shortage is { } shortage ? $"waits for room: {shortage}" : $"tries again soon; the last try: {history.Error ?? history.Death}";
            return 0;
        }

        var demand = ResourceAmounts.Of(target.Spec.Resources);
        var (_, free) = RankAssignment.Assign(existing, Math.Max(_goal.TargetReplicas, existing.Count));
        var started = 0;
        for (; started < count; started++)
        {
            if (!_draft.TrySpend(demand))
            {
                _waiting = $"waits for room: {demand.DescribeShortage(_draft.Free!, "free")}";
                _draft.MustWaitUntil(_draft.Now + ReconciliationIntervals.RecheckInterval);
                break;
            }

            var rank = free.Dequeue();
            _draft.Add(generation => new ControlAction.StartReplica(
                generation, ReasonToStart(history, target), _draft.CreateReplicaId(_goal.Id, generation), revision, target, rank, _goal.TargetReplicas));
        }

        return started;
    }

    private string ReasonToStart(ReplicaStartHistory history, DeploymentRevision target) => history switch
    {
        { Failures: > 0 } => $"try {history.Failures + 1}; the last failed: {history.Error}",
        { Death: { } death } when _draft.Now - history.CrashedAt < ReconciliationIntervals.RecentDeathWindow => $"replaces one that is gone: {death}",
        _ when _selection.OldRunning.Count > 0 && target == _goal.Deployment => "new version",
        _ => $"{_goal.TargetReplicas} wanted",
    };

    // True when nothing needs to be told any more.
    private bool Reconfigure()
    {
        if (_goal.Deployment is not { } target)
            return true;
        var (ranks, _) = RankAssignment.Assign(_selection.Kept, Math.Max(_goal.TargetReplicas, _selection.Kept.Count));
        var isTold = true;
        foreach (var replica in _selection.Kept)
        {
            var rank = ranks[replica.Id];
            if (replica.Deployment.Settings == target.Settings && replica.Rank == rank && replica.WorldSize == _goal.TargetReplicas && replica.Pending is null)
                continue;
            isTold = false;
            if (replica.Phase == ReplicaPhase.Running && replica.InFlight is null && !_draft.MustWaitUntil(replica.NotBefore))
            {
                _draft.Add(generation => new ControlAction.ReconfigureReplica(
                    generation, replica.Deployment.Settings == target.Settings ? "rank or world size changed" : "settings changed",
                    replica.Id, target, rank, _goal.TargetReplicas));
            }
        }

        return isTold;
    }

    // Whether the old replicas at full strength leave no room for a new one.
    private bool IsTight()
    {
        if (_goal.Deployment is not { } target || _goal.IsFrozen || _draft.Free is not { } free || _selection.OldRunning.Count == 0 && _goal.FallbackDeployment is null)
            return false;
        var demand = ResourceAmounts.Of(target.Spec.Resources);
        if (demand.Units.IsEmpty)
            return false;
        if (_draft.Observed.StartHistoryOf(ReplicaStartKey.Of(_goal.Id, target)).Shortage is not null)
            return true;
        var held = _selection.Live.Aggregate(ResourceAmounts.None, (sum, replica) => sum.Plus(ResourceAmounts.Of(replica.Deployment.Spec.Resources)));
        var old = _goal.FallbackDeployment ?? _selection.OldRunning[0].Deployment;
        var needed = ResourceAmounts.Of(old.Spec.Resources).Times(Math.Max(0, _goal.TargetReplicas - _selection.Ready)).Plus(demand.Times(_selection.Ready + 1));
        return !needed.FitsIn(free.Plus(held));
    }

    private bool MustGiveUpOne()
    {
        if (!_isTight || _selection.OldNeeded == 0 || _selection.Kept.Count >= _goal.TargetReplicas
            || _selection.Ready < _selection.Kept.Count || _selection.Ready + _selection.OldNeeded < _goal.TargetReplicas)
            return false;

        // What is on its way out may make the room by itself.
        if (_draft.Observed.Replicas.Values.Any(replica => !replica.IsLive && !ResourceAmounts.Of(replica.Deployment.Spec.Resources).Units.IsEmpty))
            return false;
        var demand = ResourceAmounts.Of(_goal.Deployment!.Spec.Resources);
        var given = ResourceAmounts.Of(_selection.OldRunning[_selection.OldNeeded - 1].Deployment.Spec.Resources);
        return demand.FitsIn(_draft.Free!.Plus(given));
    }
}
