using System.Text.Json;
using Serve.Routes;
using Serve.Routing;
using Serve.Runtime;

namespace Serve.Replica.Routes;

/// <summary>Applies published route snapshots in this process.</summary>
/// <param name="table">Route table of the process; it ignores old versions.</param>
public sealed class RouteSnapshotSubscriber(RouteTable table) : ITopicSubscriber
{
    /// <inheritdoc/>
    public string Topic => RouteSnapshot.Topic;

    /// <inheritdoc/>
    public ValueTask OnPublishedAsync(long version, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken)
    {
        var snapshot = JsonSerializer.Deserialize<RouteSnapshot>(payload.Span, ServeJson.Options)
            ?? throw new InvalidOperationException($"Route snapshot {version} is empty.");
        table.Apply(snapshot);
        return ValueTask.CompletedTask;
    }
}
