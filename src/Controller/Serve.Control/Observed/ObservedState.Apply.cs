namespace Serve.Control.Observed;

public sealed partial record ObservedState
{
    /// <summary>Returns this state after an observation. Stale observations, and those without meaning in the replica's phase, change nothing.</summary>
    public ObservedState Apply(ControlObservation observation, DateTimeOffset now) => observation switch
    {
        ControlObservation.ReplicaStarted started => OnStarted(started, now),
        ControlObservation.ReplicasFound found => OnFound(found),
        ControlObservation.ReplicaStartFailed failed => OnStartFailed(failed, now),
        ControlObservation.ReplicaPlacementFailed refused => OnPlacementFailed(refused, now),
        ControlObservation.ReplicaReconfigured reconfigured => OnReconfigured(reconfigured),
        ControlObservation.ReplicaReconfigureFailed failed => OnReconfigureFailed(failed, now),
        ControlObservation.ReplicaStopped stopped =>
            InFlightOf(stopped.Replica, stopped.Generation) is { } replica ? Move(replica, ReplicaPhaseTrigger.Stopped) : this,
        ControlObservation.ReplicaStopFailed failed => InFlightOf(failed.Replica, failed.Generation) is { Phase: ReplicaPhase.Stopping } replica
            ? With(replica with { InFlight = null, NotBefore = now + ReconciliationIntervals.RecheckInterval, Reason = $"could not be stopped: {failed.Error}" })
            : this,
        ControlObservation.ReplicaHealthChecked health => OnHealthChecked(health, now),
        ControlObservation.ReplicaDied died => OnDied(died, now),
        ControlObservation.RoutesAcknowledged acknowledged => OnRoutesAcknowledged(acknowledged),
        ControlObservation.RoutesNotAcknowledged refused => refused.Version == Routes.Newest.Version
            ? this with { Routes = Routes with { RetryAt = now + ReconciliationIntervals.RecheckInterval } }
            : this,
        ControlObservation.LoadReported load => Nodes.ContainsKey(load.Node) ? this with { Loads = Loads.SetItem(load.Node, load.Loads) } : this,
        ControlObservation.ReplicaMetricsReported report => Nodes.ContainsKey(report.Node) ? this with { ReplicaMetrics = ReplicaMetrics.SetItem(report.Node, report.Metrics) } : this,
        ControlObservation.RequestsCounted counted => Nodes.ContainsKey(counted.Node) ? OnRequestsCounted(counted) : this,
        ControlObservation.PolicyReturned policy => this with { PolicyResults = PolicyResults.SetItem(policy.Deployment, policy.Result) },
        ControlObservation.WakeUpRequested wakeUp => this with { WakeUps = WakeUps.Add(wakeUp.Deployment) },
        _ => throw new ArgumentOutOfRangeException(nameof(observation)),
    };

    private ObservedState OnStarted(ControlObservation.ReplicaStarted started, DateTimeOffset now)
    {
        if (InFlightOf(started.Replica, started.Generation) is not { Phase: ReplicaPhase.Starting } replica)
            return this;
        var key = ReplicaStartKey.Of(replica.Id.Deployment, replica.Deployment);
        // The version of a gang has run when all of its replicas have.
        var isComplete = replica.Gang is not { } gang || gang.Members.All(member =>
            member == replica.Id.ToString() || Replicas.GetValueOrDefault(member) is { Phase: ReplicaPhase.Running });
        var next = isComplete ? With(key, StartHistoryOf(key) with { Failures = 0, NodeFailures = 0, Error = null, HasRun = true, Shortage = null, UnsuitableNodes = [] }) : this;
        next = next.Move(
            replica with
            {
                InFlight = null,
                Address = started.Address,
                Notices = started.Notices,
                RunningSince = now,
                NextCheckAt = now + TimeSpan.FromSeconds(replica.Deployment.Spec.HealthCheckPeriodS),
            },
            ReplicaPhaseTrigger.Started);
        next = next with { WakeUps = next.WakeUps.Remove(replica.Id.Deployment) };
        return replica.EarlyDeath is { } reason ? next.OnDied(new(replica.Id, reason), now) : next;
    }

    // They were started by an earlier controller: adopted if they are still wanted, otherwise stopped by the next decision.
    private ObservedState OnFound(ControlObservation.ReplicasFound found)
    {
        var next = this;
        foreach (var replica in found.Replicas.Where(replica => !Replicas.ContainsKey(replica.Id.ToString())))
        {
            var key = ReplicaStartKey.Of(replica.Id.Deployment, replica.Deployment);
            next = next.With(replica).With(key, next.StartHistoryOf(key) with { HasRun = true });
        }

        return next;
    }

    private ObservedState OnStartFailed(ControlObservation.ReplicaStartFailed failed, DateTimeOffset now)
    {
        if (InFlightOf(failed.Replica, failed.Generation) is not { Phase: ReplicaPhase.Starting } replica)
            return this;
        var key = ReplicaStartKey.Of(replica.Id.Deployment, replica.Deployment);
        var history = StartHistoryOf(key);
        var failures = (failed.IsNodeFailure ? history.NodeFailures : history.Failures) + 1;

        // Replicas of one deployment are started concurrently: the delay doubles with each round, not with each single failure.
        var rounds = (failures + Math.Max(1, replica.Place.WorldSize) - 1) / Math.Max(1, replica.Place.WorldSize);
        history = failed.IsNodeFailure ? history with { NodeFailures = failures } : history with { Failures = failures };
        return With(key, history with { Error = failed.Error, NotBefore = now + ReconciliationIntervals.RetryDelay(rounds), Shortage = null })
            .Move(replica, ReplicaPhaseTrigger.StartFailed);
    }

    private ObservedState OnPlacementFailed(ControlObservation.ReplicaPlacementFailed refused, DateTimeOffset now)
    {
        if (InFlightOf(refused.Replica, refused.Generation) is not { Phase: ReplicaPhase.Starting } replica)
            return this;
        var key = ReplicaStartKey.Of(replica.Id.Deployment, replica.Deployment);
        var history = StartHistoryOf(key);
        return With(key, history with
        {
            Shortage = refused.Message,
            UnsuitableNodes = refused.IsPermanent ? history.UnsuitableNodes.Add(replica.Node) : history.UnsuitableNodes,
            NotBefore = now + ReconciliationIntervals.RecheckInterval,
        }).Move(replica, ReplicaPhaseTrigger.StartFailed);
    }

    private ObservedState OnReconfigured(ControlObservation.ReplicaReconfigured reconfigured)
    {
        if (InFlightOf(reconfigured.Replica, reconfigured.Generation) is not { Pending: { } pending } replica)
            return this;
        var key = ReplicaStartKey.Of(replica.Id.Deployment, pending.Deployment);
        return With(key, StartHistoryOf(key) with { Failures = 0, FailedUpdates = 0, Error = null, HasRun = true })
            .With(replica with
            {
                InFlight = null,
                Pending = null,
                Notices = reconfigured.Notices,
                Deployment = pending.Deployment,
                Place = pending.Place,
            });
    }

    private ObservedState OnReconfigureFailed(ControlObservation.ReplicaReconfigureFailed failed, DateTimeOffset now)
    {
        if (InFlightOf(failed.Replica, failed.Generation) is not { Pending: { } pending } replica)
            return this;
        if (!replica.IsUpdating)
            return With(replica with { InFlight = null, Pending = null, NotBefore = now + ReconciliationIntervals.RecheckInterval });
        var key = ReplicaStartKey.Of(replica.Id.Deployment, pending.Deployment);
        var history = StartHistoryOf(key);
        var failures = failed.IsHung ? ReconciliationIntervals.UpdateAttempts : history.FailedUpdates + 1;
        var next = With(key, history with { FailedUpdates = failures, Error = failed.Error });
        var ended = replica with { InFlight = null, Pending = null, NotBefore = now + ReconciliationIntervals.RetryDelay(failures) };

        // A hook that does not end may hold the replica indefinitely, and which settings are in effect is unknown.
        return failed.IsHung && replica.Phase == ReplicaPhase.Running
            ? next.OnCrashed(replica, $"{replica.Id} {failed.Error}", now).Move(ended with { Reason = failed.Error }, ReplicaPhaseTrigger.HealthLost)
            : next.With(ended);
    }

    private ObservedState OnHealthChecked(ControlObservation.ReplicaHealthChecked health, DateTimeOffset now)
    {
        if (!Replicas.TryGetValue(health.Replica.ToString(), out var replica) || replica.CheckInFlight != health.Generation)
            return this;
        var checkedReplica = replica with
        {
            CheckInFlight = null,
            NextCheckAt = now + TimeSpan.FromSeconds(replica.Deployment.Spec.HealthCheckPeriodS),
            HealthFailures = health.Error is null ? 0 : replica.HealthFailures + 1,
        };
        if (checkedReplica.HealthFailures < ReconciliationIntervals.HealthFailuresAllowed || replica.Phase != ReplicaPhase.Running)
            return With(checkedReplica);
        var reason = $"{checkedReplica.HealthFailures} consecutive health checks failed; last error: {health.Error}";
        return OnCrashed(replica, reason, now).Move(checkedReplica with { Reason = reason }, ReplicaPhaseTrigger.HealthLost);
    }

    private ObservedState OnDied(ControlObservation.ReplicaDied died, DateTimeOffset now)
    {
        if (!Replicas.TryGetValue(died.Replica.ToString(), out var replica))
            return this;
        if (replica.Phase == ReplicaPhase.Starting)
            return With(replica with { EarlyDeath = died.Reason });
        var next = replica.Phase == ReplicaPhase.Running ? OnCrashed(replica, $"{replica.Id} died: {died.Reason}", now) : this;
        return next.Move(replica, ReplicaPhaseTrigger.Died);
    }

    private ObservedState OnCrashed(ObservedReplica replica, string reason, DateTimeOffset now)
    {
        var key = ReplicaStartKey.Of(replica.Id.Deployment, replica.Deployment);
        var history = StartHistoryOf(key);
        if (replica.StartedAt < history.CrashedAt)
            return With(key, history with { Death = reason });
        var crashes = now - replica.RunningSince < ReconciliationIntervals.CrashWindow ? history.Crashes + 1 : 1;

        // The first crash is replaced without a delay: it is most often an accident, and waiting would only reduce capacity.
        var notBefore = now + ReconciliationIntervals.RetryDelay(crashes - 1);
        return With(key, history with
        {
            Crashes = crashes,
            CrashedAt = now,
            Death = reason,
            NotBefore = notBefore > history.NotBefore ? notBefore : history.NotBefore,
        });
    }

    // The loss of a node is not the deployment's fault: no backoff, and no failed start.
    private ObservedState OnNodeLost(ObservedReplica replica, DateTimeOffset now)
    {
        var next = this with { Replicas = Replicas.Remove(replica.Id.ToString()) };
        if (replica.Phase != ReplicaPhase.Running)
            return next;
        var key = ReplicaStartKey.Of(replica.Id.Deployment, replica.Deployment);
        return next.With(key, StartHistoryOf(key) with { CrashedAt = now, Death = $"node {replica.Node} has left the cluster" });
    }

    private ObservedState OnRoutesAcknowledged(ControlObservation.RoutesAcknowledged acknowledged)
    {
        if (!Nodes.ContainsKey(acknowledged.Node) || Routes.Acknowledged.GetValueOrDefault(acknowledged.Node) >= acknowledged.Version)
            return this;
        return this with { Routes = Routes with { Acknowledged = Routes.Acknowledged.SetItem(acknowledged.Node, acknowledged.Version) } };
    }

    private ObservedState OnRequestsCounted(ControlObservation.RequestsCounted counted)
    {
        var (name, report) = (counted.Application, counted.Report);
        if (RevisionRequests.GetValueOrDefault(name)?.Revision > report.Revision)
            return this;
        return this with { RevisionRequests = RevisionRequests.SetItem(name, RevisionRequestsOf(name, report.Revision).With(counted.Node, counted.Process, report)) };
    }

    private ObservedReplica? InFlightOf(ReplicaId id, long generation) =>
        Replicas.TryGetValue(id.ToString(), out var replica) && replica.InFlight == generation ? replica : null;

    private ObservedState Move(ObservedReplica replica, ReplicaPhaseTrigger trigger) => ReplicaStateMachine.Next(replica.Phase, trigger) switch
    {
        null => this,
        ReplicaPhase.Gone => this with { Replicas = Replicas.Remove(replica.Id.ToString()) },
        { } next => With(replica with { Phase = next }),
    };

    private ObservedState With(ObservedReplica replica) => this with { Replicas = Replicas.SetItem(replica.Id.ToString(), replica) };

    private ObservedState With(ReplicaStartKey key, ReplicaStartHistory history) => this with { Starts = Starts.SetItem(key, history) };
}
