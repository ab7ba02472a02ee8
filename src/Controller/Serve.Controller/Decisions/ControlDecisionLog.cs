using System.Globalization;
using Serve.Admin;
using Serve.Control;

namespace Serve.Controller.Decisions;

/// <summary>The newest decisions of the controller: actions of its plans, changes of the desired state, and decisions of autoscalers. Health checks are left out. Thread-safe.</summary>
/// <param name="time">Clock.</param>
public sealed class ControlDecisionLog(TimeProvider time)
{
    /// <summary>Number of decisions to keep.</summary>
    public const int Capacity = 10_000;

    private readonly Lock _sync = new();
    private ControlDecisionDetails[] _ring = new ControlDecisionDetails[64];
    private long _count;

    /// <summary>Sequence number of the newest decision; 0 if there is none.</summary>
    public long Newest => Volatile.Read(ref _count);

    /// <summary>Adds a decision.</summary>
    /// <param name="kind">Its kind.</param>
    /// <param name="application">The application.</param>
    /// <param name="deployment">The deployment; null for the whole application.</param>
    /// <param name="reason">Human-readable reason.</param>
    /// <param name="detail">Human-readable details; null for none.</param>
    /// <param name="replica">The replica's id; null for none.</param>
    /// <param name="generation">Generation of an action; 0 for another decision.</param>
    public void Add(string kind, string? application, string? deployment, string reason, string? detail = null, string? replica = null, long generation = 0)
    {
        lock (_sync)
        {
            if (_count == _ring.Length && _ring.Length < Capacity)
                Array.Resize(ref _ring, Math.Min(_ring.Length * 4, Capacity));
            _ring[_count % _ring.Length] = new()
            {
                Sequence = _count + 1, TimeS = time.GetUtcNow().ToUnixTimeMilliseconds() / 1000.0, Generation = generation, Kind = kind,
                Application = application, Deployment = deployment, Replica = replica, Reason = reason, Detail = detail,
            };
            Volatile.Write(ref _count, _count + 1);
        }
    }

    /// <summary>Returns a page of decisions, newest first.</summary>
    /// <param name="query">Selects decisions.</param>
    /// <param name="before">Sequence number of the last decision of the previous page; null for the first page.</param>
    /// <param name="limit">Number of decisions.</param>
    public ControlDecisionList List(ControlDecisionQuery query, long? before, int limit)
    {
        List<ControlDecisionDetails> page = [];
        lock (_sync)
        {
            var oldest = Math.Max(0, _count - _ring.Length);
            for (var index = Math.Min(_count, (before ?? long.MaxValue) - 1) - 1; index >= oldest; index--)
            {
                var decision = _ring[index % _ring.Length];
                if (!query.Includes(decision))
                    continue;
                if (page.Count == limit)
                    return new() { Decisions = page, Newest = _count, NextBefore = page[^1].Sequence };
                page.Add(decision);
            }

            return new() { Decisions = page, Newest = _count };
        }
    }

    internal void Add(ControlAction action)
    {
        switch (action)
        {
            case ControlAction.StartReplica start:
                AddOfReplica("start_replica", start, start.Replica, $"node {start.Node}, revision {Number(start.Revision.Number)}, rank {Number(start.Place.Rank)}");
                break;
            case ControlAction.StopReplica stop:
                AddOfReplica("stop_replica", stop, stop.Replica, $"node {stop.Node}, {Number((long)stop.DrainTimeout.TotalSeconds)} s to drain");
                break;
            case ControlAction.ReconfigureReplica reconfigure:
                AddOfReplica("reconfigure_replica", reconfigure, reconfigure.Replica, $"rank {Number(reconfigure.Place.Rank)} of {Number(reconfigure.Place.WorldSize)}");
                break;
            case ControlAction.PublishRouteSnapshot publish:
                Add("publish_routes", null, null, publish.Reason, $"version {publish.Snapshot.Version}", generation: publish.Generation);
                break;
            case ControlAction.PromoteApplicationRevision promote:
                Add("promote_revision", promote.Application, null, promote.Reason, generation: promote.Generation);
                break;
            case ControlAction.RemoveApplication remove:
                Add("remove_application", remove.Application, null, remove.Reason, generation: remove.Generation);
                break;
        }
    }

    private void AddOfReplica(string kind, ControlAction action, ReplicaId replica, string detail) =>
        Add(kind, replica.Deployment.Application, replica.Deployment.Name, action.Reason, detail, replica.ToString(), action.Generation);

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);
}

/// <summary>Selects decisions; null members select all.</summary>
/// <param name="Application">The application.</param>
/// <param name="Deployment">The deployment's name.</param>
/// <param name="Kind">The kind.</param>
/// <param name="Text">Part of the reason, the details, or the replica's id.</param>
public sealed record ControlDecisionQuery(string? Application = null, string? Deployment = null, string? Kind = null, string? Text = null)
{
    /// <summary>Whether a decision is selected.</summary>
    /// <param name="decision">The decision.</param>
    public bool Includes(ControlDecisionDetails decision) =>
        (Application is null || decision.Application == Application) && (Deployment is null || decision.Deployment == Deployment) && (Kind is null || decision.Kind == Kind)
        && (Text is null || Contains(decision.Reason) || Contains(decision.Detail) || Contains(decision.Replica));

    private bool Contains(string? text) => text?.Contains(Text!, StringComparison.OrdinalIgnoreCase) is true;
}
