using System.Collections.Immutable;
using System.Text.Json;
using Serve.Control.Autoscaling;
using Serve.Routes;
using Serve.Runtime;

namespace Serve.Controller.Loop;

/// <summary>Receives the metrics that a node's replicas have reported for autoscaling, and passes them to the control loop.</summary>
internal sealed class AutoscalingStatsSubscriber(ServeController controller) : ITopicSubscriber
{
    /// <inheritdoc/>
    public string Topic => AutoscalingStatsReports.Topic;

    /// <inheritdoc/>
    public async ValueTask OnPublishedAsync(TopicPublication publication, CancellationToken cancellationToken)
    {
        // A replica that has not reported yet is null.
        var replicas = JsonSerializer.Deserialize<Dictionary<string, ImmutableSortedDictionary<string, double>?>>(publication.Payload.Span, ServeJson.Options) ?? [];
        await controller.ReportReplicaMetricsAsync(new(publication.Source), replicas
            .Where(pair => pair.Value is not null).ToImmutableDictionary(pair => pair.Key, pair => pair.Value!, StringComparer.Ordinal));
    }
}

/// <summary>Receives the loads that the routers of a node's processes have counted, and reports their sums to the control loop.</summary>
internal sealed class DeploymentLoadSubscriber(ServeController controller) : ITopicSubscriber
{
    /// <inheritdoc/>
    public string Topic => DeploymentLoadReport.Topic;

    /// <inheritdoc/>
    public async ValueTask OnPublishedAsync(TopicPublication publication, CancellationToken cancellationToken)
    {
        var processes = JsonSerializer.Deserialize<Dictionary<string, Dictionary<string, DeploymentLoadReport>>>(publication.Payload.Span, ServeJson.Options) ?? [];
        var loads = ImmutableDictionary.CreateBuilder<DeploymentId, DeploymentLoad>();
        foreach (var (name, report) in processes.Values.SelectMany(reports => reports))
        {
            if (DeploymentId.TryParse(name, out var id))
                loads[id] = loads.GetValueOrDefault(id, DeploymentLoad.None).Plus(new(report.Queued, report.Ongoing, report.IsActive));
        }

        await controller.ReportLoadAsync(new(publication.Source), loads.ToImmutable());
    }
}

/// <summary>Receives the requests to applications with two revisions that a node's processes have counted, and passes them to the control loop.</summary>
internal sealed class RevisionRequestSubscriber(ServeController controller) : ITopicSubscriber
{
    /// <inheritdoc/>
    public string Topic => RevisionRequestReport.Topic;

    /// <inheritdoc/>
    public async ValueTask OnPublishedAsync(TopicPublication publication, CancellationToken cancellationToken)
    {
        var processes = JsonSerializer.Deserialize<Dictionary<string, Dictionary<string, RevisionRequestReport>>>(publication.Payload.Span, ServeJson.Options) ?? [];
        foreach (var (process, reports) in processes)
        {
            foreach (var (application, report) in reports)
                await controller.ReportRequestsAsync(new(publication.Source), process, application, report);
        }
    }
}
