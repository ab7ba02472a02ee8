using System.Runtime.Loader;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Time.Testing;
using Serve.Replica.Tests.Fixtures;
using Serve.Replica.Tests.Samples;

namespace Serve.Replica.Tests.Instances;

public sealed class ReplicaInstanceTests
{
    private readonly string _key = Guid.NewGuid().ToString("n");

    [Fact]
    public async Task Start_WithUserConfig_ReconfiguresThenChecks()
    {
        await using var replica = await StartAsync(typeof(Lifecycle), new() { ["threshold"] = 1 });

        Assert.Equal("""["constructed","reconfigured 1","checked"]""", await replica.GetAsync());
    }

    [Fact]
    public async Task Reconfigure_SameUserConfig_IsNotCalledAgain()
    {
        await using var replica = await StartAsync(typeof(Lifecycle), new() { ["threshold"] = 1 });

        await replica.ReconfigureAsync(new() { ["threshold"] = 1 });
        await replica.ReconfigureAsync(new() { ["threshold"] = 2 });
        await replica.ReconfigureAsync(new() { ["threshold"] = 2 });

        Assert.Equal("""["constructed","reconfigured 1","checked","reconfigured 2"]""", await replica.GetAsync());
    }

    [Fact]
    public async Task Reconfigure_Throws_IsTriedAgainTheNextTime()
    {
        await using var replica = await StartAsync(typeof(Lifecycle));

        await Assert.ThrowsAsync<InvalidOperationException>(() => replica.ReconfigureAsync(new() { ["threshold"] = 101 }));
        await Assert.ThrowsAsync<InvalidOperationException>(() => replica.ReconfigureAsync(new() { ["threshold"] = 101 }));
    }

    [Fact]
    public async Task Reconfigure_ConfigTakenAway_IsAnEmptyOne()
    {
        await using var replica = await StartAsync(typeof(Lifecycle), new() { ["threshold"] = 1 });

        await replica.ReconfigureAsync(null);

        Assert.Contains("reconfigured 0", await replica.GetAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Reconfigure_RankAndWorldSize_AreSeenByTheClass()
    {
        await using var replica = await ReplicaTestHost.StartAsync(typeof(Greeter), new()
        {
            Args = new() { ["greeting"] = "hi", ["limits"] = new JsonObject { ["maxTokens"] = 5 } },
        });

        await replica.ReconfigureAsync(null, rank: 4, worldSize: 6);

        Assert.Contains("\"rank\":4,\"worldSize\":6", await replica.GetAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Hooks_ByNameAndAsynchronous_AreCalled()
    {
        await using var replica = await StartAsync(typeof(ByName), new() { ["Threshold"] = 5 });

        Assert.Equal("5", await replica.GetAsync());
    }

    [Fact]
    public async Task CheckHealth_Hangs_EndsWithItsToken()
    {
        await using var replica = await StartAsync(typeof(ByName));
        await replica.ReconfigureAsync(new() { ["threshold"] = -1 });
        using var stop = new CancellationTokenSource();

        var check = replica.Instance.CheckHealthAsync(stop.Token).AsTask();
        Assert.False(check.IsCompleted);
        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => check.WaitAsync(TimeSpan.FromSeconds(10)));
    }

    [Fact]
    public async Task Methods_Hooks_AreNotCallableByName()
    {
        await using var replica = await StartAsync(typeof(ByName));

        Assert.Equal(["Call", "CheckHealthLater"], replica.Instance.Methods.Names);
    }

    [Theory]
    [InlineData(typeof(Counter), false)]
    [InlineData(typeof(ByName), true)]
    public async Task SeesRequests_OnlyClassesThatTakeSomething_Do(Type sample, bool expected)
    {
        await using var replica = await StartAsync(sample);

        Assert.Equal(expected, replica.Instance.SeesRequests);
    }

    [Fact]
    public async Task Dispose_AsynchronousAndNot_RunsTheAsynchronousOnce()
    {
        await using var replica = await StartAsync(typeof(Lifecycle));

        var instance = replica.Instance;
        await instance.DisposeAsync();
        await instance.DisposeAsync();

        Assert.True(TestSignals.Of($"{_key}-disposed").Task.IsCompleted);
        Assert.False(TestSignals.Of($"{_key}-disposed-twice").Task.IsCompleted);
        Assert.Equal(0, replica.Assemblies.Count);
    }

    [Fact]
    public async Task Dispose_Throws_IsLoggedAndTheRestGoes()
    {
        await using var replica = await StartAsync(typeof(Lifecycle), fail: "dispose");

        await replica.DisposeInstanceAsync();

        Assert.Contains("cannot dispose", replica.Log, StringComparison.Ordinal);
        Assert.Equal(0, replica.Assemblies.Count);
    }

    [Fact]
    public async Task Dispose_NeverEnds_DoesNotKeepTheRest()
    {
        var time = new FakeTimeProvider();
        await using var replica = await ReplicaTestHost.StartAsync(typeof(Lifecycle), new() { Args = new() { ["key"] = _key, ["fail"] = "hang" }, Time = time });

        var disposing = replica.DisposeInstanceAsync();
        await TestSignals.WaitAsync($"{_key}-disposed");
        await Eventually.TrueAsync(() =>
        {
            time.Advance(TimeSpan.FromSeconds(1));
            return disposing.IsCompleted;
        });

        await disposing;
        Assert.Equal(0, replica.Assemblies.Count);
    }

    [Fact]
    public async Task Dispose_ReplicaThatServed_HasItsCodeUnloaded()
    {
        using var code = UserCode.Compile("""
            [Deployment] public sealed class Counter { private int count; public object Call() => new { count = ++count }; }
            """, "Unloadable");
        var unloading = new TaskCompletionSource();

        await using (var replica = await ReplicaTestHost.StartAsync(typeof(Counter), new() { AssemblyPath = code.Assembly("Unloadable"), TypeName = "Counter" }))
        {
            Assert.Equal("""{"count":1}""", await replica.GetAsync());
            AssemblyLoadContext.GetLoadContext(replica.Instance.Target.GetType().Assembly)!.Unloading += _ => unloading.TrySetResult();
            Assert.False(unloading.Task.IsCompleted);
        }

        // The runtime decides when the memory is released: its caches and those of System.Text.Json keep recently used objects for a while.
        await unloading.Task.WaitAsync(TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task Call_ThatNoRequestCanCarry_IsLeftToHandles()
    {
        await using var replica = await StartAsync(typeof(TwoBodies));

        var (status, body) = await replica.SendAsync(HttpMethod.Post);

        Assert.Equal(500, status);
        Assert.Contains("cannot be bound to HTTP", (string)body!["detail"]!, StringComparison.Ordinal);
        Assert.Equal(["Call"], replica.Instance.Methods.Names);
    }

    private Task<ReplicaTestHost> StartAsync(Type sample, JsonObject? config = null, string fail = "") => ReplicaTestHost.StartAsync(sample, new()
    {
        Args = new() { ["key"] = _key, ["fail"] = fail },
        UserConfig = config,
    });
}
