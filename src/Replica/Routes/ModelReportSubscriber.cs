using System.Text.Json;
using Serve.Routes;
using Serve.Routing;
using Serve.Runtime;

namespace Serve.Replica.Routes;

/// <summary>Tells this process's routers which models replicas say they have.</summary>
/// <param name="table">The process's route table; keeps what it is told and ignores old versions.</param>
public sealed class ModelReportSubscriber(RouteTable table) : ITopicSubscriber
{
    /// <inheritdoc/>
    public string Topic => ReplicaModelReport.Topic;

    /// <inheritdoc/>
    public ValueTask OnPublishedAsync(long version, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken)
    {
        table.ApplyModelReports(version, JsonSerializer.Deserialize<Dictionary<string, ReplicaModelReport>>(payload.Span, ServeJson.Options)
            ?? throw new InvalidOperationException($"Report {version} of models is empty."));
        return ValueTask.CompletedTask;
    }
}
