using CsCheck;
using Microsoft.Extensions.Logging.Abstractions;
using Serve.Routes;
using Serve.Routing.Pickers;

namespace Serve.Routing.Tests;

public sealed class ReplicaPickerTests
{
    private static readonly Gen<string?> Keys = Gen.OneOf(Gen.Const((string?)null), Gen.Int[0, 20].Select(i => (string?)$"key {i}"));

    [Fact]
    public void Select_RandomPicksAndReturns_NeverExceedsTheLimitAndFindsFreeCapacity() =>
        Gen.Select(Gen.Enum<RoutingPolicy>(), Gen.Int[1, 8], Gen.Int[1, 4], Gen.Select(Gen.Bool, Keys).List[1, 200]).Sample((policy, count, limit, picks) =>
        {
            var slots = SlotsOf(count, limit);
            var selector = SelectorOf(policy, slots);
            var leased = new Stack<ReplicaSlot>();
            foreach (var (isPick, key) in picks)
            {
                if (!isPick && leased.TryPop(out var returned))
                {
                    returned.Exit();
                    continue;
                }

                var slot = selector.Select(new() { Key = key }).Slot;
                Assert.Equal(leased.Count < count * limit, slot is not null);
                if (slot is not null)
                    leased.Push(slot);
                Assert.All(slots, each => Assert.InRange(each.Ongoing, 0, limit));
            }
        });

    [Theory]
    [InlineData(RoutingPolicy.PowerOfTwo, 8)]
    [InlineData(RoutingPolicy.LeastOngoing, 0)]
    [InlineData(RoutingPolicy.RoundRobin, 0)]
    [InlineData(RoutingPolicy.ConsistentHash, 8)]
    [InlineData(RoutingPolicy.PrefixAffinity, 8)]
    public void Select_ManyRequestsWithoutKeys_AreSpreadEvenly(RoutingPolicy policy, int tolerance)
    {
        var slots = SlotsOf(10, 1000);
        var selector = SelectorOf(policy, slots);

        for (var i = 0; i < 1000; i++)
            selector.Select(default);

        // Two choices keep every replica within a few leases of the mean (100); a single random choice would deviate by 20 to 30.
        Assert.All(slots, slot => Assert.InRange(slot.Ongoing, 100 - tolerance, 100 + tolerance));
    }

    [Theory]
    [InlineData(RoutingPolicy.ConsistentHash)]
    [InlineData(RoutingPolicy.PrefixAffinity)]
    public void Select_SameKeyWhileIdle_SameReplica(RoutingPolicy policy)
    {
        var slots = SlotsOf(20, 10);
        var selector = SelectorOf(policy, slots);
        for (var key = 0; key < 50; key++)
        {
            var chosen = Enumerable.Range(0, 5).Select(_ => SelectAndReturn(selector, $"session {key}")).Distinct();
            Assert.Single(chosen);
        }
    }

    [Fact]
    public void Pick_ConsistentHash_KeysAreSpreadAndOnlyTheShareOfAChangedReplicaMoves()
    {
        const int Keys = 20_000;
        Gen.Select(Gen.Int[2, 30], Gen.Int[0, 29]).Sample(
            (count, changed) =>
            {
                var without = SlotsOf(count, 10).Where((_, i) => i != changed % count).ToArray();
                var with = SlotsOf(count, 10);
                var joined = with[changed % count].ReplicaId;
                var (before, after) = (SelectorOf(RoutingPolicy.ConsistentHash, without), SelectorOf(RoutingPolicy.ConsistentHash, with));
                var moved = 0;
                var shares = new Dictionary<string, int>();
                for (var key = 0; key < Keys; key++)
                {
                    var (old, now) = (SelectAndReturn(before, $"k{key}"), SelectAndReturn(after, $"k{key}"));
                    shares[now] = shares.GetValueOrDefault(now) + 1;
                    if (old == now)
                        continue;
                    Assert.Equal(joined, now);
                    moved++;
                }

                Assert.InRange(moved, 0.6 * Keys / count, 1.4 * Keys / count);
                Assert.All(shares.Values, share => Assert.InRange(share, 0.6 * Keys / count, 1.4 * Keys / count));
                Assert.Equal(count, shares.Count);
            },
            iter: 20);
    }

    [Fact]
    public void Pick_ConsistentHashInAnotherOrder_SameReplicas()
    {
        var slots = SlotsOf(10, 10);
        var (one, other) = (SelectorOf(RoutingPolicy.ConsistentHash, slots), SelectorOf(RoutingPolicy.ConsistentHash, [.. slots.Reverse()]));

        Assert.All(Enumerable.Range(0, 1000), key => Assert.Equal(SelectAndReturn(one, $"k{key}"), SelectAndReturn(other, $"k{key}")));
    }

    [Theory]
    [InlineData(RoutingPolicy.ConsistentHash)]
    [InlineData(RoutingPolicy.PrefixAffinity)]
    public void Select_SkewedKeys_NoReplicaExceedsTheBoundOfItsLoad(RoutingPolicy policy) =>
        Gen.Select(Gen.Int[2, 12], Gen.Select(Gen.Int[0, 9], Gen.Int[0, 3]).List[1, 300]).Sample(
            (count, steps) =>
            {
                var slots = SlotsOf(count, 1000);
                var selector = SelectorOf(policy, slots);
                var leased = new Queue<ReplicaSlot>();
                foreach (var (returns, key) in steps)
                {
                    if (returns < 3 && leased.TryDequeue(out var returned))
                    {
                        returned.Exit();
                        continue;
                    }

                    var total = slots.Sum(slot => slot.Ongoing);
                    var slot = selector.Select(new() { Key = $"key {key}" }).Slot!;
                    Assert.InRange(slot.Ongoing, 1, (int)Math.Ceiling(1.25 * (total + 1) / count));
                    leased.Enqueue(slot);
                }
            },
            iter: 200);

    [Fact]
    public void Pick_ConsistentHash_AllocatesNothing()
    {
        var slots = SlotsOf(100, 10);
        ReplicaPicker picker = new ConsistentHashPicker(slots);
        var request = new RoutingRequest { Key = "0f8fad5b-d9cb-469f-a165-70867728950e" };
        picker.Pick(request);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
            picker.Pick(request);

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Fact]
    public void Pick_PrefixAffinity_FollowsTheLongestCommonPrefix()
    {
        var slots = SlotsOf(8, 10);
        var selector = SelectorOf(RoutingPolicy.PrefixAffinity, slots);
        var system = new string('s', 320);
        var first = SelectAndReturn(selector, system + new string('a', 320));
        // Occupied, so that the second conversation with the same beginning goes elsewhere.
        slots.Single(slot => slot.ReplicaId == first).Limit = 0;
        var second = SelectAndReturn(selector, system + new string('b', 320));
        slots.Single(slot => slot.ReplicaId == first).Limit = 10;

        Assert.NotEqual(first, second);
        Assert.Equal(first, SelectAndReturn(selector, system + new string('a', 320) + " and more"));
        Assert.Equal(second, SelectAndReturn(selector, system + new string('b', 320) + " and more"));
    }

    [Fact]
    public void Create_PrefixAffinityAndRoundRobinWithOtherReplicas_KeepTheirState()
    {
        var slots = SlotsOf(8, 10);
        var before = SelectorOf(RoutingPolicy.PrefixAffinity, slots);
        var chosen = SelectAndReturn(before, new string('a', 100));
        var remaining = slots.Where((slot, i) => slot.ReplicaId == chosen || i % 2 == 0).ToArray();
        var after = SelectorOf(RoutingPolicy.PrefixAffinity, remaining, before.Picker);
        Assert.Equal(chosen, SelectAndReturn(after, new string('a', 100)));

        var turns = SelectorOf(RoutingPolicy.RoundRobin, slots);
        Assert.Equal(["r0", "r1", "r2"], Enumerable.Range(0, 3).Select(_ => SelectAndReturn(turns, null)));
        var continued = SelectorOf(RoutingPolicy.RoundRobin, slots, turns.Picker);
        Assert.Equal("r3", SelectAndReturn(continued, null));
    }

    [Fact]
    public void Select_PickerOfUserCodeThrows_PowerOfTwoTakesOver()
    {
        var slots = SlotsOf(3, 1);
        var selector = new PolicyReplicaSelector(new("a", "A"), new ThrowingPicker(), slots, NullLogger.Instance);

        Assert.All(Enumerable.Range(0, 3), _ => Assert.NotNull(selector.Select(default).Slot));
        Assert.IsType<PowerOfTwoChoicesPicker>(selector.Picker);
        Assert.Null(selector.Select(default).Slot);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(3)]
    [InlineData(int.MinValue)]
    public void Select_PickerReturnsNoReplica_Queues(int index)
    {
        var selector = new PolicyReplicaSelector(new("a", "A"), new ConstantPicker(index), SlotsOf(3, 1), NullLogger.Instance);

        Assert.Null(selector.Select(default).Slot);
    }

    [Fact]
    public void Select_PickerReturnsABusyReplica_QueuesUntilItIsFree()
    {
        var slots = SlotsOf(3, 1);
        var selector = new PolicyReplicaSelector(new("a", "A"), new ConstantPicker(1), slots, NullLogger.Instance);
        Assert.Same(slots[1], selector.Select(default).Slot);

        Assert.Null(selector.Select(default).Slot);
        slots[1].Exit();
        Assert.Same(slots[1], selector.Select(default).Slot);
    }

    private static ReplicaSlot[] SlotsOf(int count, int limit) =>
        [.. Enumerable.Range(0, count).Select(i => new FakeReplicaTarget($"r{i}")).Select(fake => new ReplicaSlot(fake.Route, fake, limit, TimeProvider.System))];

    private static PolicyReplicaSelector SelectorOf(RoutingPolicy policy, ReplicaSlot[] slots, ReplicaPicker? previous = null) =>
        new(new("a", "A"), ReplicaPickerFactory.Create(new RoutingRule { Policy = policy }, slots, previous, null), slots, NullLogger.Instance);

    private static string SelectAndReturn(PolicyReplicaSelector selector, string? key)
    {
        var slot = selector.Select(new() { Key = key }).Slot!;
        slot.Exit();
        return slot.ReplicaId;
    }

    private sealed class ThrowingPicker : ReplicaPicker
    {
        public override int Pick(in RoutingRequest request) => throw new InvalidOperationException("a fault of the user");
    }

    private sealed class ConstantPicker(int index) : ReplicaPicker
    {
        public override int Pick(in RoutingRequest request) => index;
    }
}
