using System.Text.Json;
using Serve.Routes;

namespace Serve.Routing.Tests;

public sealed class RoutingRuleTests : IDisposable
{
    private readonly RoutingTestWorld _world = new();

    public void Dispose() => _world.Dispose();

    [Fact]
    public void Apply_RuleOfAPolicy_CallsWithTheSameKeyGoToOneReplica()
    {
        _world.Deploy("a/A", "r1 r2 r3 r4", max: 10).With("a/A", new RoutingRule { Policy = RoutingPolicy.ConsistentHash }).Publish();

        var byKey = Enumerable.Range(0, 100).Select(i => AcquireAndRelease($"k{i % 10}")).Select((replica, i) => (i % 10, replica)).Distinct();

        Assert.Equal(10, byKey.Count());
    }

    [Fact]
    public void Apply_SnapshotWithoutAChange_KeepsThePolicy()
    {
        _world.Deploy("a/A", "r1 r2", max: 10).Publish();
        var before = _world.Router("A").State.Selector;

        _world.Deploy("b/B", "r3").Publish();
        Assert.Same(before, _world.Router("A").State.Selector);

        _world.Deploy("a/A", "r1 r2 r4", max: 10).Publish();
        Assert.NotSame(before, _world.Router("A").State.Selector);
    }

    [Fact]
    public void Apply_LowerLimit_AppliesToKnownReplicas()
    {
        _world.Deploy("a/A", "r1", max: 10).Publish();
        Assert.True(_world.Router("A").TryAcquire(out _));

        _world.Deploy("a/A", "r1", max: 1).Publish();
        Assert.False(_world.Router("A").TryAcquire(out _));
    }

    [Fact]
    public async Task ApplyStats_PickerWaitsForThem_ServesTheQueuedRequest()
    {
        var loader = new FakeLoader(context => new ReadyPicker(context));
        using var world = new RoutingTestWorld(loader: loader);
        world.Deploy("a/A", "r1 r2").With("a/A", new RoutingRule { PickerClass = "X", Kwargs = """{"field":"ready"}""", PackageHash = "h1" }).Publish();
        var waiting = world.Router("A").AcquireAsync(default).AsTask();
        Assert.False(waiting.IsCompleted);

        world.Table.ApplyStats(new("n1"), new(1, 1), new Dictionary<string, JsonElement> { ["r2"] = JsonSerializer.SerializeToElement(new { ready = true }) });

        Assert.Equal("r2", (await waiting.WaitAsync(TimeSpan.FromSeconds(10))).Slot.ReplicaId);
        world.Deploy("a/A", "r1 r2 r3").With("a/A", new RoutingRule { PickerClass = "X", Kwargs = """{"field":"ready"}""", PackageHash = "h1" }).Publish();
        Assert.Equal((1, 0), (loader.Loaded, loader.Released));
        Assert.IsType<ReadyPicker>(loader.LastPrevious);
        Assert.NotNull(world.Router("A").Replicas[1].Stats);

        world.Deploy("a/A", "r1 r2 r3").Publish();
        Assert.Equal((1, 1), (loader.Loaded, loader.Released));
    }

    [Fact]
    public void Apply_PolicyCannotBeLoaded_PowerOfTwoServes()
    {
        using var world = new RoutingTestWorld(loader: new FakeLoader(_ => throw new DefinitionException("not there")));
        world.Deploy("a/A", "r1").With("a/A", new RoutingRule { PickerClass = "X", PackageHash = "h1" }).Publish();

        Assert.True(world.Router("A").TryAcquire(out _));
    }

    private string AcquireAndRelease(string key)
    {
        Assert.True(_world.Router("A").TryAcquire(new RoutingRequest { Key = key }, out var lease));
        lease.Release();
        return lease.Slot.ReplicaId;
    }

    private sealed class FakeLoader(Func<ReplicaPickerContext, ReplicaPicker> create) : IPickerClassLoader
    {
        public int Loaded { get; private set; }

        public int Released { get; private set; }

        public ReplicaPicker? LastPrevious { get; private set; }

        public PickerClassLease Load(RoutingRule rule)
        {
            Loaded++;
            return new(
                context =>
                {
                    LastPrevious = context.Previous;
                    return create(context);
                },
                () => Released++);
        }
    }

    private sealed class ReadyPicker(ReplicaPickerContext context) : ReplicaPicker
    {
        public override int Pick(in RoutingRequest request)
        {
            for (var i = 0; i < context.Replicas.Count; i++)
            {
                if (context.Replicas[i] is { IsAvailable: true, Stats: { } stats } && stats.GetProperty(context.Kwargs["field"]!.GetValue<string>()).GetBoolean())
                    return i;
            }

            return -1;
        }
    }
}
