using CsCheck;

namespace Serve.Routing.Tests;

public sealed class ReplicaPickerTests
{
    [Fact]
    public void Pick_RandomTakesAndReturns_NeverExceedsTheLimitAndFindsEveryRoom() =>
        Gen.Select(Gen.Int[1, 8], Gen.Int[1, 4], Gen.Bool.List[1, 200]).Sample((count, limit, takes) =>
        {
            var slots = Enumerable.Range(0, count).Select(i => new FakeReplicaTarget($"r{i}")).Select(fake => new ReplicaSlot(fake.Route, fake)).ToArray();
            var picker = new PowerOfTwoChoicesPicker(slots, limit, TimeProvider.System);
            var out_ = new Stack<ReplicaSlot>();
            foreach (var take in takes)
            {
                if (!take && out_.TryPop(out var returned))
                {
                    returned.Exit();
                    continue;
                }

                var slot = picker.Pick().Slot;
                Assert.Equal(out_.Count < count * limit, slot is not null);
                if (slot is not null)
                    out_.Push(slot);
                Assert.All(slots, each => Assert.InRange(each.Ongoing, 0, limit));
            }
        });

    [Fact]
    public void Pick_ManyLeases_SpreadsThemEvenly()
    {
        var slots = Enumerable.Range(0, 10).Select(i => new FakeReplicaTarget($"r{i}")).Select(fake => new ReplicaSlot(fake.Route, fake)).ToArray();
        var picker = new PowerOfTwoChoicesPicker(slots, 1000, TimeProvider.System);

        for (var i = 0; i < 1000; i++)
            picker.Pick();

        // Two choices keep the spread within a few of the mean (100); one random choice would stray by 20 to 30.
        Assert.All(slots, slot => Assert.InRange(slot.Ongoing, 92, 108));
    }
}
