using System.Collections.Immutable;
using Serve.Control.Desired;
using Serve.Control.Observed;
using Serve.Control.Placement;
using Serve.Replicas;

namespace Serve.Control.Rollout;

/// <summary>
/// Plans how one deployment reaches its goal: starts missing replicas within the surge, stops surplus replicas once no node routes to them, and
/// reconfigures the others in place. Never goes below the target, unless there are no resources for both an old replica and its successor.
/// </summary>
internal sealed class DeploymentRolloutPlanner
{
    private readonly ReconciliationPlanBuilder _plan;
    private readonly DeploymentGoal _goal;
    private readonly ReplicaSelection _selection;
    private readonly bool _lacksSurgeCapacity;
    private string? _waiting;

    private DeploymentRolloutPlanner(ReconciliationPlanBuilder plan, DeploymentGoal goal)
    {
        _plan = plan;
        _goal = goal;
        _selection = ReplicaSelection.Of(goal, plan.Observed);
        var capacity = new SurgeCapacity(plan.Placer, plan.Observed, goal, _selection);
        _lacksSurgeCapacity = capacity.IsLacking();
        if (_lacksSurgeCapacity && capacity.FindUnitToRelease() is { } released)
            _selection.ReleaseOld(released);
    }

    /// <summary>Plans the actions of one deployment.</summary>
    public static DeploymentRolloutResult Plan(ReconciliationPlanBuilder plan, DeploymentGoal goal)
    {
        var rollout = new DeploymentRolloutPlanner(plan, goal);
        ReplicaScaleDownPlanner.Plan(plan, goal, rollout._selection.Surplus);
        rollout.StartMissing();
        var settings = SettingsRollout.Plan(plan, goal, rollout._selection);
        HealthCheckPlanner.Plan(plan, rollout._selection.Kept.Concat(rollout._selection.OldKeptReplicas));
        return rollout.Result(settings);
    }

    private DeploymentRolloutResult Result(SettingsRollout settings) => new(_goal)
    {
        Routed = [.. _selection.KeptRunning.Where(replica => !settings.OutOfRotation.Contains(replica))
            .Concat(_selection.OldKeptReplicas.Where(replica => !replica.IsApplyingOtherConfig(_goal.Deployment)))
            .OrderBy(replica => replica.Rank)
            .ThenBy(replica => replica.Id.Suffix, StringComparer.Ordinal)],
        Ready = _selection.Ready,
        Old = _selection.OldNeeded,
        Waiting = _waiting,
        SettingsProgress = settings.Progress,
        IsSteady = settings.IsComplete && _selection.Ready == _goal.TargetReplicas && _selection.Live.Count == _goal.TargetReplicas,
        Remaining = _plan.Observed.ReplicasOf(_goal.Id).Count(),
    };

    private void StartMissing()
    {
        // A surplus replica counts until its stop is in flight, so that target and surge are never exceeded.
        var allowed = _goal.TargetReplicas + _goal.Surge - _selection.Live.Count;
        if (_goal.FallbackDeployment is { } fallback)
        {
            var kept = _selection.OldKeptReplicas.Concat(_selection.OldStarting).Where(replica => replica.Deployment.Version == fallback.Version).ToList();
            var missing = _goal.TargetReplicas - (_lacksSurgeCapacity ? _goal.GangSize : 0) - _selection.OldNeeded - _selection.OldStarting.Count;
            allowed -= Start(_goal.FallbackRevision!, fallback, kept, Math.Min(missing, allowed));
        }

        if (_goal.Deployment is { } deployment && !_goal.IsFrozen)
        {
            var wanted = _goal.FallbackDeployment is null ? _goal.TargetReplicas : Math.Min(_goal.Surge, _goal.TargetReplicas);
            Start(_goal.Revision!, deployment, _selection.Kept, Math.Min(wanted - _selection.Kept.Count, allowed));
        }
    }

    private int Start(ApplicationRevision revision, DeploymentRevision deployment, IReadOnlyCollection<ObservedReplica> existing, int count)
    {
        if (count <= 0)
            return 0;
        var history = _plan.Observed.StartHistoryOf(ReplicaStartKey.Of(_goal.Id, deployment));
        if (_plan.MustWaitUntil(history.NotBefore))
        {
            _waiting = history.Shortage is { } shortage ? $"waiting for resources: {shortage}" : $"retrying soon; last error: {history.Error ?? history.Death}";
            return 0;
        }

        var demand = ResourceAmounts.Of(deployment.Spec.Resources);
        var places = new RankAssignment(existing, _goal.TargetReplicas);
        var (started, size) = (0, deployment.Spec.Gang?.GangSize ?? 1);
        for (; started + size <= count; started += size)
        {
            if (_plan.Placer.TryPlace(_goal.Id, demand, history.UnsuitableNodes, deployment.Spec.Gang, out var shortage) is not { } nodes)
            {
                _waiting = size == 1 ? shortage : $"a gang of {size} replicas is placed as a whole; {shortage}";
                _plan.MustWaitUntil(_plan.Now + ReconciliationIntervals.RecheckInterval);
                break;
            }

            var ids = nodes.Select((_, index) => _plan.CreateReplicaId(_goal.Id, _plan.Generation + 1 + index)).ToList();
            ImmutableArray<string> members = [.. ids.Select(id => id.ToString())];
            for (var index = 0; index < size; index++)
            {
                var (id, node, place) = (ids[index], nodes[index], places.Add(nodes[index]));
                var gang = deployment.Spec.Gang is null ? null : new ReplicaGang(ids[0].Suffix, index, members);
                _plan.Add(generation => new ControlAction.StartReplica(generation, StartReason(history, deployment), id, node, revision, deployment, place, gang));
            }
        }

        return started;
    }

    private string StartReason(ReplicaStartHistory history, DeploymentRevision deployment) => history switch
    {
        { Failures: > 0 } or { NodeFailures: > 0 } => $"attempt {history.Failures + history.NodeFailures + 1}; last error: {history.Error}",
        { Death: { } death } when _plan.Now - history.CrashedAt < ReconciliationIntervals.RecentDeathWindow => $"replaces a lost replica: {death}",
        _ when _selection.OldRunning.Count > 0 && deployment == _goal.Deployment =>
            _selection.OldRunning[0].Members[0] switch
            {
                var old when old.Deployment.Version != deployment.Version => "new version",
                var old when old.IsApplyingOtherConfig(deployment) => "replaces a replica that was still applying settings that have been replaced",
                var old => $"node {old.Node} is draining",
            },
        _ => _goal.DescribeTarget(),
    };
}
