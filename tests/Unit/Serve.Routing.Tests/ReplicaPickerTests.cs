using CsCheck;

namespace Serve.Routing.Tests;

public sealed class ReplicaPickerTests
{
    [Fact]
    public void Pick_RandomPicksAndReturns_NeverExceedsTheLimitAndFindsFreeCapacity() =>
        Gen.Select(Gen.Int[1, 8], Gen.Int[1, 4], Gen.Bool.List[1, 200]).Sample((count, limit, picks) =>
        {
            var slots = Enumerable.Range(0, count).Select(i => new FakeReplicaTarget($"r{i}")).Select(fake => new ReplicaSlot(fake.Route, fake)).ToArray();
            var picker = new PowerOfTwoChoicesPicker(slots, limit, TimeProvider.System);
            var leased = new Stack<ReplicaSlot>();
            foreach (var isPick in picks)
            {
                if (!isPick && leased.TryPop(out var returned))
                {
                    returned.Exit();
                    continue;
                }

                var slot = picker.Pick().Slot;
                Assert.Equal(leased.Count < count * limit, slot is not null);
                if (slot is not null)
                    leased.Push(slot);
                Assert.All(slots, each => Assert.InRange(each.Ongoing, 0, limit));
            }
        });

    [Fact]
    public void Pick_ManyLeases_AreSpreadEvenly()
    {
        var slots = Enumerable.Range(0, 10).Select(i => new FakeReplicaTarget($"r{i}")).Select(fake => new ReplicaSlot(fake.Route, fake)).ToArray();
        var picker = new PowerOfTwoChoicesPicker(slots, 1000, TimeProvider.System);

        for (var i = 0; i < 1000; i++)
            picker.Pick();

        // Two choices keep every replica within a few leases of the mean (100); a single random choice would deviate by 20 to 30.
        Assert.All(slots, slot => Assert.InRange(slot.Ongoing, 92, 108));
    }
}
