using System.Runtime.CompilerServices;
using System.Text;

namespace Serve.Routing.Tests;

/// <summary>A router's metrics, as a scrape returns them. The registry belongs to the process, so each test uses an application of its own.</summary>
public sealed class DeploymentRouterMetricsTests
{
    private readonly string _application = $"m{Guid.NewGuid():n}";

    [Fact]
    public async Task Scrape_WaitingAndAssignedRequests_AreCounted()
    {
        using var world = new RoutingTestWorld().Deploy($"{_application}/A", "r1").Publish();
        var router = world.Router("A");
        var held = await router.AcquireAsync(default);
        var waits = router.AcquireAsync(default).AsTask();

        // Twice, since a scrape must not change the counts.
        await ScrapeAsync();
        Assert.Equal(["1", "1", "1", "1"], await ReadAsync());

        held.Release();
        (await waits).Release();
        Assert.Equal(["0", "0", "2", "2"], await ReadAsync());
    }

    [Fact]
    public async Task Scrape_DeploymentDeleted_ItsLabelSetsAreRemoved()
    {
        using var world = new RoutingTestWorld().Deploy($"{_application}/A", "r1").Publish();
        await world.Router("A").AcquireAsync(default);
        var waits = world.Router("A").AcquireAsync(default).AsTask();
        Assert.Contains(_application, await ScrapeAsync(), StringComparison.Ordinal);

        world.Delete($"{_application}/A").Publish();

        await Assert.ThrowsAnyAsync<ServeException>(() => waits);
        Assert.DoesNotContain(_application, await ScrapeAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Scrape_DeploymentDeletedAndDeployedAgain_CountsFromZero()
    {
        using var world = new RoutingTestWorld().Deploy($"{_application}/A", "r1").Publish();
        await world.Router("A").AcquireAsync(default);
        world.Delete($"{_application}/A").Publish();
        world.Deploy($"{_application}/A", "r2").Publish();
        await world.Router("A").AcquireAsync(default);
        Assert.Equal(["0", "0", "1", "1"], await ReadAsync());
    }

    [Fact]
    public async Task Scrape_DeploymentDeleted_RouterIsCollected()
    {
        var router = Deleted();
        await ScrapeAsync();

        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();

        Assert.False(router.IsAlive);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private WeakReference Deleted()
    {
        using var world = new RoutingTestWorld().Deploy($"{_application}/A", "r1").Publish();
        var router = new WeakReference(world.Router("A"));
        world.Delete($"{_application}/A").Publish();
        return router;
    }

    /// <summary>Numbers of waiting requests, of requests being assigned, of assigned requests, and of observed times.</summary>
    private async Task<string[]> ReadAsync()
    {
        var text = await ScrapeAsync();
        return [.. new[] { "serve_deployment_queued_queries", "serve_num_scheduling_tasks", "serve_num_router_requests_total", "serve_request_router_fulfillment_time_ms_count" }
            .Select(name => text.Split($"{name}{{application=\"{_application}\",deployment=\"A\"}} ")[1].Split('\n')[0])];
    }

    private static async Task<string> ScrapeAsync()
    {
        using var text = new MemoryStream();
        await Prometheus.Metrics.DefaultRegistry.CollectAndExportAsTextAsync(text);
        return Encoding.UTF8.GetString(text.ToArray());
    }
}
