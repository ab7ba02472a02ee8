using CsCheck;

namespace Serve.Runtime.Tests.Scheduling;

public sealed class ResourceLedgerTests
{
    private static readonly ResourceDemand Node = ResourceDemand.None.With(ResourceDemand.Cpu, 4).With(ResourceDemand.Gpu, 2).With("licence", 1);

    private static readonly Gen<ResourceDemand> Demands = Gen.Select(
        Amount(0, 0.0001, 0.3333, 0.5, 1, 2), Amount(0, 0.25, 0.3333, 0.5, 1, 2), Amount(0, 1),
        (cpu, gpu, licence) => ResourceDemand.None.With(ResourceDemand.Cpu, cpu).With(ResourceDemand.Gpu, gpu).With("licence", licence));

    [Fact]
    public void ReserveAndRelease_AnySequence_NeverOvercommitsAndRestores() =>
        Gen.Select(Demands.Array[1, 40], Gen.Int[0, 1_000_000]).Sample((demands, seed) =>
        {
            var random = new Random(seed);
            var ledger = new ResourceLedger(Node);
            var held = new List<ResourceAllocation>();
            foreach (var demand in demands)
            {
                try
                {
                    held.Add(ledger.Reserve(demand));
                }
                catch (InsufficientResourcesException refused)
                {
                    Assert.False(refused.IsPermanent);
                }

                Verify(ledger, held);
                if (held.Count > 0 && random.Next(3) == 0)
                {
                    var index = random.Next(held.Count);
                    ledger.Release(held[index]);
                    held.RemoveAt(index);
                    Verify(ledger, held);
                }
            }

            held.ForEach(ledger.Release);
            Assert.Empty(ledger.Snapshot.Reserved.Units);
            Assert.Equal(2, ledger.Reserve(ResourceDemand.None.With(ResourceDemand.Gpu, 2)).GpuIds.Length);
        });

    [Fact]
    public void Reserve_ZeroOfUnknownResource_IsGranted()
    {
        var ledger = new ResourceLedger(Node);
        var demand = new ResourceDemand { Units = ResourceDemand.None.With(ResourceDemand.Cpu, 1).Units.Add("tpu", 0) };
        Assert.Equal(ResourceDemand.None.With(ResourceDemand.Cpu, 1), demand);
        ledger.Release(ledger.Reserve(demand));
        Assert.Empty(ledger.Snapshot.Reserved.Units);
    }

    [Fact]
    public void SubscribeReleased_Twice_KeepsOrderAndNotifiesOnce()
    {
        var ledger = new ResourceLedger(Node);
        var told = new List<string>();
        void Second() => told.Add("second");
        void Third() => told.Add("third");
        void First() => told.Add("first");
        ledger.SubscribeReleased(Second);
        ledger.SubscribeReleased(Third);
        ledger.SubscribeReleased(First, isFirst: true);
        ledger.SubscribeReleased(Second);
        ledger.SubscribeReleased(First);
        ledger.Release(ledger.Reserve(ResourceDemand.None.With(ResourceDemand.Cpu, 1)));
        Assert.Equal(["first", "second", "third"], told);
    }

    [Fact]
    public void Reserve_GpuFractions_ShareFullestFittingDevice()
    {
        var ledger = new ResourceLedger(Node);
        var half = ResourceDemand.None.With(ResourceDemand.Gpu, 0.5);
        Assert.Equal(ledger.Reserve(half).GpuIds.Single(), ledger.Reserve(half).GpuIds.Single());
        Assert.Equal(1, ledger.Reserve(ResourceDemand.None.With(ResourceDemand.Gpu, 1)).GpuIds.Single());
    }

    [Fact]
    public void Reserve_MoreThanFree_ThrowsTransient()
    {
        var ledger = new ResourceLedger(Node);
        ledger.Reserve(ResourceDemand.None.With(ResourceDemand.Cpu, 3.5));
        var refused = Assert.Throws<InsufficientResourcesException>(() => ledger.Reserve(ResourceDemand.None.With(ResourceDemand.Cpu, 1)));
        Assert.False(refused.IsPermanent);
        Assert.Equal("CPU 1 was requested, but only 0.5 CPU of 4 CPU is free.", refused.Message);
    }

    [Theory]
    [InlineData(ResourceDemand.Cpu, 5, "only 4 CPU in total")]
    [InlineData("tpu", 1, "no tpu at all")]
    [InlineData(ResourceDemand.Gpu, 1.5, "GPU amounts above 1 must be whole")]
    public void Reserve_MoreThanTotal_ThrowsPermanent(string resource, double amount, string says)
    {
        var refused = Assert.Throws<InsufficientResourcesException>(() => new ResourceLedger(Node).Reserve(ResourceDemand.None.With(resource, amount)));
        Assert.True(refused.IsPermanent);
        Assert.Contains(says, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Reserve_Rejected_ReservesNothing()
    {
        var ledger = new ResourceLedger(Node);
        Assert.Throws<InsufficientResourcesException>(() => ledger.Reserve(ResourceDemand.None.With(ResourceDemand.Cpu, 1).With(ResourceDemand.Gpu, 3)));
        Assert.Empty(ledger.Snapshot.Reserved.Units);
    }

    private static Gen<double> Amount(params double[] amounts) => Gen.Int[0, amounts.Length - 1].Select(index => amounts[index]);

    private static void Verify(ResourceLedger ledger, List<ResourceAllocation> held)
    {
        var reserved = ledger.Snapshot.Reserved.Units;
        foreach (var (resource, total) in Node.Units)
        {
            Assert.Equal(held.Sum(allocation => allocation.Demand.Units.GetValueOrDefault(resource)), reserved.GetValueOrDefault(resource));
            Assert.True(reserved.GetValueOrDefault(resource) <= total);
        }

        for (var device = 0; device < 2; device++)
        {
            var on = held.Where(allocation => allocation.GpuIds.Contains(device)).Select(allocation => allocation.Demand.Units[ResourceDemand.Gpu]).ToList();
            Assert.True(on.Sum(units => Math.Min(units, ResourceDemand.UnitsPerOne)) <= ResourceDemand.UnitsPerOne);
        }
    }
}
