namespace Serve.Routing.Tests;

/// <summary>Shorter calls of a router, for requests that name nothing or only a model.</summary>
internal static class DeploymentRouterTestExtensions
{
    public static bool TryAcquire(this DeploymentRouter router, out ReplicaLease lease) => router.TryAcquire(default(RoutingRequest), out lease);

    public static bool TryAcquire(this DeploymentRouter router, string? model, out ReplicaLease lease) => router.TryAcquire(new RoutingRequest { MultiplexedModelId = model }, out lease);

    public static ValueTask<ReplicaLease> AcquireAsync(this DeploymentRouter router, CancellationToken stop) => router.AcquireAsync(default(RoutingRequest), stop);

    public static ValueTask<ReplicaLease> AcquireAsync(this DeploymentRouter router, string? model, CancellationToken stop) => router.AcquireAsync(new RoutingRequest { MultiplexedModelId = model }, stop);

    public static ValueTask<ReplicaLease> ReacquireAsync(this DeploymentRouter router, CancellationToken stop) => router.ReacquireAsync(default(RoutingRequest), stop);

    public static ValueTask<ReplicaLease> ReacquireAsync(this DeploymentRouter router, string? model, CancellationToken stop) => router.ReacquireAsync(new RoutingRequest { MultiplexedModelId = model }, stop);
}
