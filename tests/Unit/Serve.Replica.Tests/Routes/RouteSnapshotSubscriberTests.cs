using System.Text.Json;
using Serve.Replica.Routes;
using Serve.Routes;
using Serve.Routing;
using Serve.Runtime;

namespace Serve.Replica.Tests.Routes;

public sealed class RouteSnapshotSubscriberTests
{
    [Fact]
    public async Task OnPublishedAsync_OlderSnapshotLater_IsIgnored()
    {
        using var table = new RouteTable(_ => throw new InvalidOperationException("no replicas"));
        var subscriber = new RouteSnapshotSubscriber(table);

        await subscriber.OnPublishedAsync(Publication(2, "new"), CancellationToken.None);
        await subscriber.OnPublishedAsync(Publication(1, "old"), CancellationToken.None);

        Assert.Equal("routes", subscriber.Topic);
        Assert.Equal(new SnapshotVersion(1, 2), table.Current.Version);
        Assert.NotNull(table.Current.FindApplication("new"));
        Assert.Null(table.Current.FindApplication("old"));
    }

    private static TopicPublication Publication(long number, string application) => new(RouteSnapshot.Topic, "", new(1, number), JsonSerializer.SerializeToUtf8Bytes(
        new RouteSnapshot
        {
            Version = new(1, number),
            Applications = [new ApplicationRoute(application, "Ingress", "/x")],
            Deployments = [new DeploymentRoute { Application = application, Deployment = "Ingress", MaxOngoingRequests = 1, MaxQueuedRequests = 1 }],
        }, ServeJson.Options));
}
