using Serve.Dashboard.Sampling;

namespace Serve.Dashboard.Tests;

public sealed class SampleHistoryTests
{
    private readonly SampleHistory _history = new();

    [Fact]
    public void Read_AfterGaps_ReturnsNaNThere()
    {
        foreach (var second in new[] { 100L, 101, 105 })
            _history.Add("nodes", "a", [second, -second], second, isWatched: true, hasLong: false);

        Assert.Equal([100, 101, float.NaN, float.NaN, float.NaN, 105, float.NaN], _history.Read("nodes", "a", 0, isLong: false, 106)!.TakeLast(7));
        Assert.Equal(-105, _history.Read("nodes", "a", 1, isLong: false, 105)!.Last());
        Assert.Equal(SampleHistory.ShortLength, _history.Read("nodes", "a", 0, isLong: false, 106)!.Length);
    }

    [Fact]
    public void Read_AfterMoreThanTheRing_ForgetsTheOldest()
    {
        for (var second = 0; second < 1000; second++)
            _history.Add("nodes", "a", [second], second, isWatched: true, hasLong: true);

        Assert.Equal(Enumerable.Range(700, 300).Select(second => (float)second), _history.Read("nodes", "a", 0, isLong: false, 999)!);
        Assert.Equal(Enumerable.Range(0, 100).Select(step => (step * 10f) + 9), _history.Read("nodes", "a", 0, isLong: true, 999)!.TakeLast(100));
    }

    [Fact]
    public void Add_Unwatched_KeepsTheLongHistoryOnly()
    {
        _history.Add("nodes", "a", [1], 100, isWatched: false, hasLong: true);
        _history.Add("replicas", "r", [1], 100, isWatched: false, hasLong: false);

        Assert.Equal(SampleHistory.LongLength * sizeof(float), _history.Bytes);
        Assert.Null(_history.Read("replicas", "r", 0, isLong: false, 100));
    }

    [Fact]
    public void Add_AboveTheLimit_RemovesReplicasBeforeNodes()
    {
        var history = new SampleHistory(maxBytes: 100_000);
        history.Add("nodes", "a", new float[13], 1, isWatched: true, hasLong: true);
        for (var replica = 0; replica < 1000; replica++)
            history.Add("replicas", $"r{replica}", new float[6], 1, isWatched: true, hasLong: false);

        Assert.InRange(history.Bytes, 1, 100_000);
        Assert.NotNull(history.Read("nodes", "a", 0, isLong: true, 1));
        Assert.Null(history.Read("replicas", "r0", 0, isLong: false, 1));
        Assert.NotNull(history.Read("replicas", "r999", 0, isLong: false, 1));
    }

    [Fact]
    public void RemoveExpired_NotWatchedAnyMore_FreesTheShortHistory()
    {
        _history.Add("nodes", "a", [1], 100, isWatched: true, hasLong: true);
        _history.Add("replicas", "r", [1], 100, isWatched: true, hasLong: false);

        _history.RemoveExpired(100 + SampleHistory.ShortLength);

        Assert.Equal(SampleHistory.LongLength * sizeof(float), _history.Bytes);
        _history.RemoveExpired(100 + (SampleHistory.LongLength * SampleHistory.LongStep));
        Assert.Equal(0, _history.Bytes);
    }
}
