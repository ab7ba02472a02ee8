using System.Runtime.CompilerServices;
using System.Text;

namespace Serve.Routing.Tests;

/// <summary>What a router counts, as a scrape sees it. The registry is the process's, so each test has an application of its own.</summary>
public sealed class DeploymentRouterMetricsTests
{
    private readonly string _application = $"m{Guid.NewGuid():n}";

    [Fact]
    public async Task Scrape_SeesWhatWaitsAndWhatWasAssigned()
    {
        using var world = new RoutingTestWorld().Deploy($"{_application}/A", "r1").Publish();
        var router = world.Router("A");
        var held = await router.AcquireAsync(default);
        var waits = router.AcquireAsync(default).AsTask();

        // Twice, since nothing may be counted by being looked at.
        await ScrapeAsync();
        Assert.Equal(["1", "1", "1", "1"], await ReadAsync());

        held.Release();
        (await waits).Release();
        Assert.Equal(["0", "0", "2", "2"], await ReadAsync());
    }

    [Fact]
    public async Task Deleted_NothingWaitsAnyMoreAndWhatWasAssignedStaysCounted()
    {
        using var world = new RoutingTestWorld().Deploy($"{_application}/A", "r1").Publish();
        var router = world.Router("A");
        await router.AcquireAsync(default);
        var waits = router.AcquireAsync(default).AsTask();
        Assert.Equal(["1", "1", "1", "1"], await ReadAsync());

        world.Delete($"{_application}/A").Publish();

        await Assert.ThrowsAnyAsync<ServeException>(() => waits);
        Assert.Equal(["0", "0", "1", "1"], await ReadAsync());
    }

    [Fact]
    public async Task Deleted_WhatWasAssignedSinceTheLastScrape_IsCounted()
    {
        using var world = new RoutingTestWorld().Deploy($"{_application}/A", "r1").Publish();
        await world.Router("A").AcquireAsync(default);

        world.Delete($"{_application}/A").Publish();

        Assert.Equal(["0", "0", "1", "1"], await ReadAsync());
    }

    [Fact]
    public async Task Deleted_NothingKeepsTheRouter()
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

    /// <summary>Waiting, being assigned, assigned, and how many times are known.</summary>
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
