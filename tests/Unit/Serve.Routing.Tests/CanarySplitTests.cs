using CsCheck;
using Serve.Calls;
using Serve.Routes;

namespace Serve.Routing.Tests;

public sealed class CanarySplitTests
{
    [Fact]
    public async Task GetTarget_ApplicationWithCanary_SplitsCallsAndCountsThem()
    {
        using var world = World(percent: 30);
        var target = world.Table.GetTarget("A", "a");
        Dictionary<string, int> answers = new() { ["r1"] = 0, ["c1"] = 0 };
        for (var i = 0; i < 1000; i++)
            answers[await target.InvokeAsync(new NamedMethodCall<string>("Call"), CallContext.None, default)]++;

        Assert.InRange(answers["c1"], 200, 400);
        var counted = world.Table.Current.FindApplication("a")!.Canary!.Meter.Read(2);
        Assert.Equal((answers["r1"], answers["c1"], 0), (counted.Stable.Requests, counted.Canary.Requests, counted.Canary.Errors));
        Assert.Equal("r1", await world.Call("Other", "a"));
        Assert.Equal("r1", await world.Call("Other"));
    }

    [Fact]
    public async Task GetRevisionTarget_EitherRevision_StaysWithinIt()
    {
        using var world = World(percent: 50);
        for (var i = 0; i < 50; i++)
        {
            Assert.Equal("r1", await CallAsync("a"));
            Assert.Equal("c1", await CallAsync("a@canary"));
        }

        Task<string> CallAsync(string application) => world.Table.GetRevisionTarget("A", application).InvokeAsync(new NamedMethodCall<string>("Call"), CallContext.None, default).AsTask();
    }

    [Fact]
    public async Task Call_QueuedForACanaryThatEnds_IsServedByTheStableRevision()
    {
        using var world = World(percent: 100);
        world["c1"].Hold = new();
        var held = world.Call("A", "a");
        var queued = world.Call("A", "a");
        Assert.Equal(1, world.Router("A", "a@canary").Queued);

        world.Delete("a@canary/A").Application("a", "A", "/a").Publish();
        Assert.Equal("r1", await queued);
        world["c1"].Hold!.SetResult();
        Assert.Equal("c1", await held);
    }

    [Fact]
    public async Task Call_CanaryFails_IsCountedAsItsError()
    {
        using var world = World(percent: 100);
        world["c1"].Throws = new InvalidOperationException("broken");
        await Assert.ThrowsAsync<InvalidOperationException>(() => world.Call("A", "a"));
        // An error of the canary's code is not a reason to run the call twice.
        world["c1"].Throws = new NoSuchRouteException("from user code");
        await Assert.ThrowsAsync<NoSuchRouteException>(() => world.Call("A", "a"));
        var counted = world.Table.Current.FindApplication("a")!.Canary!.Meter.Read(2);
        Assert.Equal((2, 1, 0), (counted.Canary.Requests, counted.Canary.Errors, counted.Stable.Requests));
    }

    [Fact]
    public void Meter_LaterSnapshot_KeepsCountsUntilTheCanaryEnds()
    {
        using var world = World(percent: 10);
        world.Table.Current.FindApplication("a")!.Canary!.Meter.Count(isCanary: true, isError: true, TimeSpan.FromMilliseconds(5));
        world.Application("a", "A", "/a", Route(20)).Publish();
        Assert.Equal(1, world.Table.Current.FindApplication("a")!.Canary!.Meter.Read(2).Canary.Errors);
        world.Delete("a@canary/A").Application("a", "A", "/a").Publish();
        world.Deploy("a@canary/A", "c2").Application("a", "A", "/a", Route(20)).Publish();
        Assert.Equal(0, world.Table.Current.FindApplication("a")!.Canary!.Meter.Read(2).Canary.Requests);
    }

    [Fact]
    public void Takes_SameSession_StaysWhileThePercentGrows() => Gen.Select(Gen.String[1, 20], Gen.Double[0, 100], Gen.Double[0, 100]).Sample((session, one, other) =>
    {
        using var world = World(Math.Min(one, other));
        var small = world.Table.Current.FindApplication("a")!.Canary!;
        world.Application("a", "A", "/a", Route(Math.Max(one, other))).Publish();
        var large = world.Table.Current.FindApplication("a")!.Canary!;
        Assert.Equal(small.Takes(session), small.Takes(session));
        Assert.True(!small.Takes(session) || large.Takes(session));
    }, iter: 500);

    [Theory]
    [InlineData(0)]
    [InlineData(7)]
    [InlineData(50)]
    [InlineData(100)]
    public void Takes_ManySessions_IsThePercent(double percent)
    {
        using var world = World(percent);
        var split = world.Table.Current.FindApplication("a")!.Canary!;
        Assert.InRange(Enumerable.Range(0, 20_000).Count(i => split.Takes($"session-{i}")) / 200.0, percent - 1.5, percent + 1.5);
        Assert.InRange(Enumerable.Range(0, 20_000).Count(_ => split.Takes(null)) / 200.0, percent - 1.5, percent + 1.5);
    }

    private static CanaryRoute Route(double percent) => new() { Application = "a@canary", Ingress = "A", Revision = 2, Percent = percent };

    private static RoutingTestWorld World(double percent) => new RoutingTestWorld()
        .Deploy("a/A", "r1").Deploy("a/Other", "r1").Deploy("a@canary/A", "c1").Application("a", "A", "/a", Route(percent)).Publish();
}
