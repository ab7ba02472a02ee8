using System.Text.Json;
using Serve.Routes;
using Serve.Routing;
using Serve.Runtime;

namespace Serve.Replica.Routes;

/// <summary>Passes published model reports of replicas to the routers of this process.</summary>
/// <param name="table">Route table of the process; it ignores old versions.</param>
public sealed class ModelReportSubscriber(RouteTable table) : ITopicSubscriber
{
    /// <inheritdoc/>
    public string Topic => ReplicaModelReport.Topic;

    /// <inheritdoc/>
    public ValueTask OnPublishedAsync(long version, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken)
    {
        table.ApplyModelReports(version, JsonSerializer.Deserialize<Dictionary<string, ReplicaModelReport>>(payload.Span, ServeJson.Options)
            ?? throw new InvalidOperationException($"Model report {version} is empty."));
        return ValueTask.CompletedTask;
    }
}
