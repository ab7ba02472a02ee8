using System.Collections.Immutable;
using Serve.Routes;

namespace Serve.Control;

public sealed partial record ObservedState
{
    /// <summary>This state once an action is under way.</summary>
    public ObservedState WithDispatched(ControlAction action, DateTimeOffset now)
    {
        var next = this with { Generation = Math.Max(Generation, action.Generation) };
        return action switch
        {
            ControlAction.StartReplica start => next.With(new ObservedReplica
            {
                Id = start.Replica,
                Deployment = start.Deployment,
                Revision = start.Revision.Number,
                Rank = start.Rank,
                WorldSize = start.WorldSize,
                StartedAt = now,
                Reason = start.Reason,
                InFlight = start.Generation,
            }),
            ControlAction.StopReplica stop => next.Change(stop.Replica, replica => next.Move(
                replica with { InFlight = stop.Generation, Pending = null, Reason = stop.Reason }, ReplicaPhaseTrigger.StopRequested)),
            ControlAction.ReconfigureReplica change => next.Change(change.Replica, replica => next.With(
                replica with { InFlight = change.Generation, Pending = new(change.Deployment, change.Rank, change.WorldSize), Reason = change.Reason })),
            ControlAction.CheckReplicaHealth check => next.Change(check.Replica, replica => next.With(replica with { CheckInFlight = check.Generation })),
            ControlAction.PublishRouteSnapshot publish => next.Published(publish.Snapshot),
            ControlAction.PromoteApplicationRevision settle => next.OnSettled(settle),
            ControlAction.RemoveApplication forget => next.Forgotten(forget.Application),
            _ => throw new ArgumentOutOfRangeException(nameof(action)),
        };
    }

    /// <summary>This state without the failures of an application's versions, so that they are tried again.</summary>
    public ObservedState WithoutStartFailures(string application) => this with
    {
        Starts = Starts.ToImmutableDictionary(
            pair => pair.Key,
            pair => pair.Key.Deployment.Application == application
                ? pair.Value with { Failures = 0, Error = null, Shortage = null, IsUnplaceable = false, NotBefore = DateTimeOffset.MinValue }
                : pair.Value),
    };

    private ObservedState Change(ReplicaId id, Func<ObservedReplica, ObservedState> change) =>
        Replicas.TryGetValue(id.ToString(), out var replica) ? change(replica) : this;

    private ObservedState Published(RouteSnapshot snapshot)
    {
        var named = snapshot.Deployments.SelectMany(deployment => deployment.Replicas).Select(replica => replica.ReplicaId).ToHashSet(StringComparer.Ordinal);
        return this with
        {
            Routes = Routes with { Newest = snapshot, RetryAt = null },
            Replicas = Replicas.SetItems(Replicas.Select(pair => KeyValuePair.Create(pair.Key, named.Contains(pair.Key)
                ? pair.Value with { WasRouted = true, UnroutedAt = null }
                : pair.Value with { UnroutedAt = pair.Value.WasRouted ? pair.Value.UnroutedAt ?? snapshot.Version : null }))),
        };
    }

    private ObservedState OnSettled(ControlAction.PromoteApplicationRevision settle)
    {
        var alive = Replicas.Values.Select(replica => ReplicaStartKey.Of(replica.Id.Deployment, replica.Deployment)).ToHashSet();
        return this with
        {
            Promoted = Promoted.SetItem(settle.Application, settle.Revision),
            Starts = Starts.RemoveRange(Starts.Keys.Where(key => key.Deployment.Application == settle.Application && !alive.Contains(key))),
        };
    }

    private ObservedState Forgotten(string application) => this with
    {
        Promoted = Promoted.Remove(application),
        Starts = Starts.RemoveRange(Starts.Keys.Where(key => key.Deployment.Application == application)),
    };
}
