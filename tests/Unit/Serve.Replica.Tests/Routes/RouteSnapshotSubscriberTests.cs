using System.Text.Json;
using Serve.Replica.Routes;
using Serve.Routes;
using Serve.Routing;

namespace Serve.Replica.Tests.Routes;

public sealed class RouteSnapshotSubscriberTests
{
    [Fact]
    public async Task OnPublished_Snapshot_IsInForceWhenItCompletes()
    {
        using var table = new RouteTable(_ => throw new InvalidOperationException("no replicas here"));
        var subscriber = new RouteSnapshotSubscriber(table);

        await subscriber.OnPublishedAsync(2, Payload(2, "new"), CancellationToken.None);
        await subscriber.OnPublishedAsync(1, Payload(1, "old"), CancellationToken.None);

        Assert.Equal("routes", subscriber.Topic);
        Assert.Equal(2, table.Current.Version);
        Assert.NotNull(table.Current.FindApplication("new"));
        Assert.Null(table.Current.FindApplication("old"));
    }

    private static byte[] Payload(long version, string application) => JsonSerializer.SerializeToUtf8Bytes(
        new RouteSnapshot
        {
            Version = version,
            Applications = [new ApplicationRoute(application, "Ingress", "/x")],
            Deployments = [new DeploymentRoute { Application = application, Deployment = "Ingress", MaxOngoingRequests = 1, MaxQueuedRequests = 1 }],
        }, ServeJson.Options);
}
