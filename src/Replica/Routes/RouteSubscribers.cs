using System.Text.Json;
using Serve.Nodes;
using Serve.Routes;
using Serve.Routing;
using Serve.Runtime;

namespace Serve.Replica.Routes;

/// <summary>Applies published route snapshots to this process's <see cref="RouteTable"/>, which ignores old versions.</summary>
public sealed class RouteSnapshotSubscriber(RouteTable table) : ITopicSubscriber
{
    /// <inheritdoc/>
    public string Topic => RouteSnapshot.Topic;

    /// <inheritdoc/>
    public ValueTask OnPublishedAsync(TopicPublication publication, CancellationToken cancellationToken)
    {
        table.Apply(JsonSerializer.Deserialize<RouteSnapshot>(publication.Payload.Span, ServeJson.Options)
            ?? throw new InvalidOperationException($"Route snapshot {publication.Version} must be a JSON object, but was null."));
        return ValueTask.CompletedTask;
    }
}

/// <summary>Applies the published model reports of each node to this process's <see cref="RouteTable"/>, which ignores old versions.</summary>
public sealed class ModelReportSubscriber(RouteTable table) : ITopicSubscriber
{
    /// <inheritdoc/>
    public string Topic => ReplicaModelReport.Topic;

    /// <inheritdoc/>
    public ValueTask OnPublishedAsync(TopicPublication publication, CancellationToken cancellationToken)
    {
        var reports = JsonSerializer.Deserialize<Dictionary<string, ReplicaModelReport>>(publication.Payload.Span, ServeJson.Options)
            ?? throw new InvalidOperationException($"Model reports {publication.Version} of node {publication.Source} must be a JSON object, but were null.");
        table.ApplyModelReports(new(publication.Source), publication.Version, reports);
        return ValueTask.CompletedTask;
    }
}

/// <summary>Applies the published routing statistics of each node's replicas to this process's <see cref="RouteTable"/>, which ignores old versions.</summary>
public sealed class RoutingStatsSubscriber(RouteTable table) : ITopicSubscriber
{
    /// <inheritdoc/>
    public string Topic => RoutingStatsReports.Topic;

    /// <inheritdoc/>
    public ValueTask OnPublishedAsync(TopicPublication publication, CancellationToken cancellationToken)
    {
        var reports = JsonSerializer.Deserialize<Dictionary<string, JsonElement>>(publication.Payload.Span, ServeJson.Options)
            ?? throw new InvalidOperationException($"Routing statistics {publication.Version} of node {publication.Source} must be a JSON object, but were null.");
        table.ApplyStats(new(publication.Source), publication.Version, reports);
        return ValueTask.CompletedTask;
    }
}

/// <summary>
/// Reports the deployments without replicas for which this process has queued requests, so that the controller starts replicas. A deployment is reported until
/// a snapshot contains a replica of it.
/// </summary>
public sealed class WakeUpReporter : ITopicSubscriber, IDisposable
{
    private readonly Lock _sync = new();
    private readonly HashSet<DeploymentId> _waiting = [];
    private readonly RouteTable _table;
    private readonly ActorReportRegistry _reports;
    private readonly string _processId;
    private ActorStateReport? _report;

    /// <summary>Creates the reporter of this process.</summary>
    public WakeUpReporter(RouteTable table, ActorReportRegistry reports, IActorReferenceResolver references)
    {
        _table = table;
        _reports = reports;
        _processId = references.ProcessId;
        table.WakeUpRequested += OnWakeUpRequested;
    }

    /// <inheritdoc/>
    public string Topic => RouteSnapshot.Topic;

    /// <inheritdoc/>
    public ValueTask OnPublishedAsync(TopicPublication publication, CancellationToken cancellationToken)
    {
        ActorStateReport? changed;
        lock (_sync)
            changed = _waiting.RemoveWhere(id => !_table.Current.IsWaiting(id)) > 0 ? _report : null;
        changed?.NotifyChanged();
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _table.WakeUpRequested -= OnWakeUpRequested;
        _report?.Dispose();
    }

    private void OnWakeUpRequested(DeploymentId deployment)
    {
        lock (_sync)
        {
            if (!_waiting.Add(deployment))
                return;
            _report ??= _reports.Add(new ActorId($"process:{_processId}"), DeploymentWakeUps.Topic, Write);
        }

        _report.NotifyChanged();
    }

    private ReadOnlyMemory<byte> Write()
    {
        lock (_sync)
            return JsonSerializer.SerializeToUtf8Bytes(_waiting.Select(id => id.ToString()));
    }
}
