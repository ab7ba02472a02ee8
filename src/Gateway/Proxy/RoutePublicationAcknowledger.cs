using System.Text.Json;
using Serve.Routes;
using Serve.Routing;
using Serve.Runtime;

namespace Serve.Gateway.Proxy;

/// <summary>Delays the publication of a route snapshot until this gateway routes by its prefixes.</summary>
/// <param name="table">The route table of the process; the first subscriber that receives a snapshot applies it.</param>
/// <param name="config">YARP's configuration.</param>
internal sealed class RoutePublicationAcknowledger(RouteTable table, RouteTableConfigProvider config) : ITopicSubscriber
{
    /// <inheritdoc/>
    public string Topic => RouteSnapshot.Topic;

    /// <inheritdoc/>
    public async ValueTask OnPublishedAsync(TopicPublication publication, CancellationToken cancellationToken)
    {
        if (table.Current.Version < publication.Version && JsonSerializer.Deserialize<RouteSnapshot>(publication.Payload.Span, ServeJson.Options) is { } snapshot)
            table.Apply(snapshot);
        await config.WhenAppliedAsync(cancellationToken);
    }
}
