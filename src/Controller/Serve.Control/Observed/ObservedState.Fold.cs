namespace Serve.Control;

public sealed partial record ObservedState
{
    /// <summary>This state after something was learnt. What is stale or means nothing in the replica's phase changes nothing.</summary>
    public ObservedState Apply(ControlObservation observation, DateTimeOffset now) => observation switch
    {
        ControlObservation.ReplicaStarted started => OnStarted(started, now),
        ControlObservation.ReplicaStartFailed failed => OnStartFailed(failed, now),
        ControlObservation.ReplicaPlacementFailed shortage => OnStartShort(shortage, now),
        ControlObservation.ReplicaReconfigured taken => OnReconfigured(taken),
        ControlObservation.ReplicaReconfigureFailed refused => OnReconfigureFailed(refused, now),
        ControlObservation.ReplicaStopped stopped => InFlightOf(stopped.Replica, stopped.Generation) is { } replica ? Move(replica, ReplicaPhaseTrigger.Stopped) : this,
        ControlObservation.ReplicaStopFailed failed => InFlightOf(failed.Replica, failed.Generation) is { Phase: ReplicaPhase.Stopping } replica
            ? With(replica with { InFlight = null, NotBefore = now + ReconciliationIntervals.RecheckInterval, Reason = $"could not be stopped: {failed.Error}" })
            : this,
        ControlObservation.ReplicaHealthChecked health => OnHealthChecked(health, now),
        ControlObservation.ReplicaDied died => OnDied(died, now),
        ControlObservation.RoutesAcknowledged acknowledged => this with
        {
            Routes = Routes with
            {
                Acknowledged = acknowledged.Version > Routes.Acknowledged ? acknowledged.Version : Routes.Acknowledged,
                RetryAt = acknowledged.Version == Routes.Newest.Version ? null : Routes.RetryAt,
            },
        },
        ControlObservation.RoutesNotAcknowledged refused => refused.Version == Routes.Newest.Version
            ? this with { Routes = Routes with { RetryAt = now + ReconciliationIntervals.RecheckInterval } }
            : this,
        _ => throw new ArgumentOutOfRangeException(nameof(observation)),
    };

    private ObservedState OnStarted(ControlObservation.ReplicaStarted started, DateTimeOffset now)
    {
        if (InFlightOf(started.Replica, started.Generation) is not { Phase: ReplicaPhase.Starting } replica)
            return this;
        var key = ReplicaStartKey.Of(replica.Id.Deployment, replica.Deployment);
        var next = With(key, StartHistoryOf(key) with { Failures = 0, Error = null, HasRun = true, Shortage = null, IsUnplaceable = false });
        next = next.Move(
            replica with
            {
                InFlight = null,
                Process = started.Process,
                RunningSince = now,
                NextCheckAt = now + TimeSpan.FromSeconds(replica.Deployment.Spec.HealthCheckPeriodS),
            },
            ReplicaPhaseTrigger.Started);
        return replica.EarlyDeath is { } reason ? next.OnDied(new(replica.Id, reason), now) : next;
    }

    private ObservedState OnStartFailed(ControlObservation.ReplicaStartFailed failed, DateTimeOffset now)
    {
        if (InFlightOf(failed.Replica, failed.Generation) is not { Phase: ReplicaPhase.Starting } replica)
            return this;
        var key = ReplicaStartKey.Of(replica.Id.Deployment, replica.Deployment);
        var history = StartHistoryOf(key);
        var failures = history.Failures + 1;

        // Replicas of one deployment are tried side by side: what waits and doubles is the round, not the single try.
        var rounds = (failures + Math.Max(1, replica.WorldSize) - 1) / Math.Max(1, replica.WorldSize);
        return With(key, history with { Failures = failures, Error = failed.Error, NotBefore = now + ReconciliationIntervals.RetryDelay(rounds), Shortage = null })
            .Move(replica, ReplicaPhaseTrigger.StartFailed);
    }

    private ObservedState OnStartShort(ControlObservation.ReplicaPlacementFailed shortage, DateTimeOffset now)
    {
        if (InFlightOf(shortage.Replica, shortage.Generation) is not { Phase: ReplicaPhase.Starting } replica)
            return this;
        var key = ReplicaStartKey.Of(replica.Id.Deployment, replica.Deployment);
        return With(key, StartHistoryOf(key) with { Shortage = shortage.Message, IsUnplaceable = shortage.IsPermanent, NotBefore = now + ReconciliationIntervals.RecheckInterval })
            .Move(replica, ReplicaPhaseTrigger.StartFailed);
    }

    private ObservedState OnReconfigured(ControlObservation.ReplicaReconfigured taken)
    {
        if (InFlightOf(taken.Replica, taken.Generation) is not { Pending: { } pending } replica)
            return this;
        var key = ReplicaStartKey.Of(replica.Id.Deployment, pending.Deployment);
        return With(key, StartHistoryOf(key) with { Failures = 0, Error = null, HasRun = true })
            .With(replica with
            {
                InFlight = null,
                Pending = null,
                Deployment = pending.Deployment,
                Rank = pending.Rank,
                WorldSize = pending.WorldSize,
            });
    }

    private ObservedState OnReconfigureFailed(ControlObservation.ReplicaReconfigureFailed refused, DateTimeOffset now)
    {
        if (InFlightOf(refused.Replica, refused.Generation) is not { Pending: { } pending } replica)
            return this;
        var key = ReplicaStartKey.Of(replica.Id.Deployment, pending.Deployment);
        var history = StartHistoryOf(key);
        return With(key, history with { Failures = history.Failures + 1, Error = refused.Error })
            .With(replica with { InFlight = null, Pending = null, NotBefore = now + ReconciliationIntervals.RetryDelay(history.Failures + 1) });
    }

    private ObservedState OnHealthChecked(ControlObservation.ReplicaHealthChecked health, DateTimeOffset now)
    {
        if (!Replicas.TryGetValue(health.Replica.ToString(), out var replica) || replica.CheckInFlight != health.Generation)
            return this;
        var checkedOnce = replica with
        {
            CheckInFlight = null,
            NextCheckAt = now + TimeSpan.FromSeconds(replica.Deployment.Spec.HealthCheckPeriodS),
            HealthFailures = health.Error is null ? 0 : replica.HealthFailures + 1,
        };
        if (checkedOnce.HealthFailures < ReconciliationIntervals.HealthFailuresAllowed || replica.Phase != ReplicaPhase.Running)
            return With(checkedOnce);
        var reason = $"{checkedOnce.HealthFailures} health checks failed in a row; the last: {health.Error}";
        return Crashed(replica, reason, now).Move(checkedOnce with { Reason = reason }, ReplicaPhaseTrigger.HealthLost);
    }

    private ObservedState OnDied(ControlObservation.ReplicaDied died, DateTimeOffset now)
    {
        if (!Replicas.TryGetValue(died.Replica.ToString(), out var replica))
            return this;
        if (replica.Phase == ReplicaPhase.Starting)
            return With(replica with { EarlyDeath = died.Reason });
        var next = replica.Phase == ReplicaPhase.Running ? Crashed(replica, $"{replica.Id} died: {died.Reason}", now) : this;
        return next.Move(replica, ReplicaPhaseTrigger.Died);
    }

    private ObservedState Crashed(ObservedReplica replica, string reason, DateTimeOffset now)
    {
        var key = ReplicaStartKey.Of(replica.Id.Deployment, replica.Deployment);
        var history = StartHistoryOf(key);
        if (replica.StartedAt < history.CrashedAt)
            return With(key, history with { Death = reason });
        var crashes = now - replica.RunningSince < ReconciliationIntervals.CrashWindow ? history.Crashes + 1 : 1;

        // The first crash is replaced at once: most often somebody killed a process, and waiting would only cost strength.
        var notBefore = now + ReconciliationIntervals.RetryDelay(crashes - 1);
        return With(key, history with
        {
            Crashes = crashes,
            CrashedAt = now,
            Death = reason,
            NotBefore = notBefore > history.NotBefore ? notBefore : history.NotBefore,
        });
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
