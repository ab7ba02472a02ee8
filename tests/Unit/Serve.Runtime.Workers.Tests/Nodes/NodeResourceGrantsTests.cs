using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Serve.Runtime.Scheduling;

namespace Serve.Runtime.Workers.Tests.Nodes;

/// <summary>The grants that a driver holds of a node in this process, with a clock of each.</summary>
public sealed class NodeResourceGrantsTests : IAsyncLifetime, IAsyncDisposable
{
    private static readonly ResourceDemand Cpu = ResourceDemand.None.With(ResourceDemand.Cpu, 1);
    private static readonly ResourceDemand CpuAndGpu = Cpu.With(ResourceDemand.Gpu, 1);
    private readonly FakeTimeProvider _nodeTime = new();
    private readonly FakeTimeProvider _driverTime = new();
    private readonly LocalNode _node;
    private readonly NodeResourceGrants _grants;

    public NodeResourceGrantsTests()
    {
        var resources = ResourceDemand.None.With(ResourceDemand.Cpu, 2).With(ResourceDemand.Gpu, 2);
        _node = new(new() { Resources = resources, LeaseLifetime = TimeSpan.FromSeconds(10) }, services => services.AddSingleton<TimeProvider>(_nodeTime));
        _grants = new(_node.Agent, new("driver"), _driverTime);
    }

    private ResourceLedger Ledger => _grants.Ledger;

    public Task InitializeAsync() => Task.CompletedTask;

    Task IAsyncLifetime.DisposeAsync() => DisposeAsync().AsTask();

    public async ValueTask DisposeAsync()
    {
        await _grants.DisposeAsync();
        await _node.DisposeAsync();
    }

    [Fact]
    public async Task TryReserve_NothingGranted_RequestsWhatIsMissing()
    {
        var held = await ReserveAsync(CpuAndGpu);

        Assert.Equal(CpuAndGpu, _node.Agent.Resources.Reserved);
        Assert.Equal(CpuAndGpu, Ledger.Snapshot.Reserved);
        Assert.Single(held.GpuIds);
        var second = await ReserveAsync(CpuAndGpu);
        Assert.NotEqual(held.GpuIds, second.GpuIds);
        Assert.Throws<InsufficientResourcesException>(() => Ledger.TryReserve(Cpu.With(ResourceDemand.Cpu, 3), out _));
    }

    [Fact]
    public async Task Tend_GrantIsIdle_IsReturnedInTheSecondPeriod()
    {
        var held = await ReserveAsync(CpuAndGpu);
        _driverTime.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(CpuAndGpu, _node.Agent.Resources.Reserved);

        Ledger.Release(held);
        _driverTime.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(CpuAndGpu, _node.Agent.Resources.Reserved);
        _driverTime.Advance(TimeSpan.FromSeconds(1));

        await Eventually.TrueAsync(() => _node.Agent.Resources.Reserved == ResourceDemand.None);
        Assert.Equal(0, Ledger.Free(ResourceDemand.Cpu));
        await ReserveAsync(CpuAndGpu);
    }

    [Fact]
    public async Task Tend_GrantsHaveExpired_AreWithdrawnAndRequestedAgain()
    {
        var held = await ReserveAsync(CpuAndGpu);
        for (var step = 0; step < 6; step++)
            _nodeTime.Advance(TimeSpan.FromSeconds(2.5));
        await Eventually.TrueAsync(() => _node.Agent.Resources.Reserved == ResourceDemand.None);

        _driverTime.Advance(TimeSpan.FromSeconds(1));
        await Eventually.TrueAsync(() => Ledger.Free(ResourceDemand.Cpu) == -ResourceDemand.UnitsPerOne);
        Ledger.Release(held);

        Assert.Equal(0, Ledger.Free(ResourceDemand.Cpu));
        await ReserveAsync(CpuAndGpu);
        Assert.Equal(CpuAndGpu, _node.Agent.Resources.Reserved);
    }

    private async Task<ResourceAllocation> ReserveAsync(ResourceDemand demand)
    {
        ResourceAllocation? held = null;
        await Eventually.TrueAsync(() => Ledger.TryReserve(demand, out held));
        return held!;
    }
}
