using System.Collections.Immutable;

namespace Serve.Control.Observed;

public sealed partial record ObservedState
{
    /// <summary>Returns this state with an action in flight.</summary>
    public ObservedState WithDispatched(ControlAction action, DateTimeOffset now)
    {
        var next = this with { Generation = Math.Max(Generation, action.Generation) };
        return action switch
        {
            ControlAction.StartReplica start => next.With(new ObservedReplica
            {
                Id = start.Replica,
                Node = start.Node,
                Deployment = start.Deployment,
                Revision = start.Revision.Number,
                Place = start.Place,
                Gang = start.Gang,
                StartedAt = now,
                Reason = start.Reason,
                InFlight = start.Generation,
            }),
            ControlAction.StopReplica stop => next.Change(stop.Replica, replica => next.Move(
                replica with { InFlight = stop.Generation, Pending = null, Reason = stop.Reason }, ReplicaPhaseTrigger.StopRequested)),
            ControlAction.ReconfigureReplica change => next.Change(change.Replica, replica => next.With(
                replica with { InFlight = change.Generation, Pending = new(change.Deployment, change.Place), Reason = change.Deployment.Settings == replica.Deployment.Settings ? replica.Reason : change.Reason })),
            ControlAction.CheckReplicaHealth check => next.Change(check.Replica, replica => next.With(replica with { CheckInFlight = check.Generation })),
            ControlAction.PublishRouteSnapshot publish => next.WithPublished(publish),
            ControlAction.PromoteApplicationRevision promote => next.WithPromoted(promote),
            ControlAction.RemoveApplication remove => next.WithoutApplication(remove.Application),
            _ => throw new ArgumentOutOfRangeException(nameof(action)),
        };
    }

    /// <summary>Returns this state without the failures of an application's versions, so that they are retried.</summary>
    public ObservedState WithoutStartFailures(string application) => this with
    {
        Starts = Starts.ToImmutableDictionary(
            pair => pair.Key,
            pair => pair.Key.Deployment.Application == application
                ? pair.Value with { Failures = 0, NodeFailures = 0, FailedUpdates = 0, Error = null, Shortage = null, UnsuitableNodes = [], NotBefore = DateTimeOffset.MinValue }
                : pair.Value),
    };

    /// <summary>Returns this state with the current nodes. Replicas of nodes that have left are removed, to be replaced on other nodes.</summary>
    public ObservedState WithNodes(ImmutableSortedDictionary<NodeId, NodeView> nodes, DateTimeOffset now)
    {
        var next = this with { Nodes = nodes };
        var left = Nodes.Keys.Where(node => !nodes.ContainsKey(node)).ToList();
        if (left.Count > 0)
        {
            next = next with
            {
                Loads = Loads.RemoveRange(left),
                ReplicaMetrics = ReplicaMetrics.RemoveRange(left),
                // A node that returns with its name must receive the routes again.
                Routes = Routes with { Acknowledged = Routes.Acknowledged.RemoveRange(left), SentTo = Routes.SentTo.Except(left) },
            };
        }

        foreach (var replica in Replicas.Values)
        {
            if (next.NodePhaseOf(replica) == NodePhase.Gone)
                next = next.OnNodeLost(replica, now);
        }

        return next;
    }

    private ObservedState Change(ReplicaId id, Func<ObservedReplica, ObservedState> change) =>
        Replicas.TryGetValue(id.ToString(), out var replica) ? change(replica) : this;

    private ObservedState WithPublished(ControlAction.PublishRouteSnapshot publish)
    {
        var snapshot = publish.Snapshot;
        var routed = snapshot.Deployments.SelectMany(deployment => deployment.Replicas).Select(replica => replica.ReplicaId).ToHashSet(StringComparer.Ordinal);
        return this with
        {
            Routes = Routes with { Newest = snapshot, SentTo = [.. publish.Nodes], RetryAt = null },
            Replicas = Replicas.SetItems(Replicas.Select(pair => KeyValuePair.Create(pair.Key, routed.Contains(pair.Key)
                ? pair.Value with { WasRouted = true, UnroutedAt = null }
                : pair.Value with { UnroutedAt = pair.Value.WasRouted ? pair.Value.UnroutedAt ?? snapshot.Version : null }))),
        };
    }

    private ObservedState WithPromoted(ControlAction.PromoteApplicationRevision promote)
    {
        var alive = Replicas.Values.Select(replica => ReplicaStartKey.Of(replica.Id.Deployment, replica.Deployment)).ToHashSet();
        return this with
        {
            Promoted = Promoted.SetItem(promote.Application, promote.DesiredGeneration),
            Starts = Starts.RemoveRange(Starts.Keys.Where(key => key.Deployment.Application == promote.Application && !alive.Contains(key))),
        };
    }

    private ObservedState WithoutApplication(string application) => this with
    {
        Promoted = Promoted.Remove(application),
        WakeUps = WakeUps.Except(WakeUps.Where(deployment => deployment.Application == application)),
        PolicyResults = PolicyResults.RemoveRange(PolicyResults.Keys.Where(deployment => deployment.Application == application)),
        Starts = Starts.RemoveRange(Starts.Keys.Where(key => key.Deployment.Application == application)),
    };
}
