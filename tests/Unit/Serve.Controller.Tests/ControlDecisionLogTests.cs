using Microsoft.Extensions.Time.Testing;
using Serve.Controller.Decisions;

namespace Serve.Controller.Tests;

public sealed class ControlDecisionLogTests
{
    private readonly ControlDecisionLog _log = new(new FakeTimeProvider(DateTimeOffset.UnixEpoch.AddSeconds(5)));

    [Fact]
    public void List_Pages_ContainEachDecisionOnceNewestFirst()
    {
        for (var number = 1; number <= 250; number++)
            _log.Add("scale", "a", "D", $"reason {number}");

        List<long> seen = [];
        long? before = null;
        do
        {
            var page = _log.List(new(), before, 100);
            Assert.Equal(250, page.Newest);
            seen.AddRange(page.Decisions.Select(decision => decision.Sequence));
            before = page.NextBefore;
        }
        while (before is not null);

        Assert.Equal(Enumerable.Range(1, 250).Reverse().Select(number => (long)number), seen);
    }

    [Fact]
    public void Add_MoreThanTheCapacity_KeepsTheNewest()
    {
        for (var number = 1; number <= ControlDecisionLog.Capacity + 5; number++)
            _log.Add("scale", "a", "D", "r");

        var all = _log.List(new(), null, int.MaxValue);

        Assert.Equal(ControlDecisionLog.Capacity, all.Decisions.Count);
        Assert.Equal((ControlDecisionLog.Capacity + 5, 6), (all.Decisions[0].Sequence, all.Decisions[^1].Sequence));
        Assert.Null(all.NextBefore);
    }

    [Fact]
    public void List_Query_FiltersByEachMember()
    {
        _log.Add("start_replica", "a", "D", "the target is 2 replicas", "node n", "a#D#x", 7);
        _log.Add("scale", "a", "E", "load");
        _log.Add("scale", "b", "D", "LOAD of 5");

        Assert.Equal([3, 2], Sequences(new(Text: "load")));
        Assert.Equal([2], Sequences(new(Application: "a", Kind: "scale")));
        Assert.Equal([3, 1], Sequences(new(Deployment: "D")));
        Assert.Equal([1], Sequences(new(Text: "a#d#X")));
        Assert.Equal((5, 7, "a#D#x"), (_log.List(new(), 2, 1).Decisions[0].TimeS, _log.List(new(), 2, 1).Decisions[0].Generation, _log.List(new(), 2, 1).Decisions[0].Replica));
    }

    private IEnumerable<long> Sequences(ControlDecisionQuery query) => _log.List(query, null, 100).Decisions.Select(decision => decision.Sequence);
}
