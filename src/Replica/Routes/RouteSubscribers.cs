using System.Text.Json;
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
