using Microsoft.Extensions.Time.Testing;
using Serve.Experiments.Stopping;

namespace Serve.Experiments.Tests.Stopping;

public sealed class StopTests
{
    [Fact]
    public void AfterIterations_Reached_Stops() => Assert.Equal([false, false, true, true], Replay(Stop.AfterIterations(3), 1, 1, 1, 1));

    [Fact]
    public void When_BoundReached_Stops()
    {
        Assert.Equal([false, true, false], Replay(Stop.When("loss", atMost: 0.5), 1, 0.5, double.NaN));
        Assert.Equal([false, true], Replay(Stop.When("loss", atLeast: 2), 1, 3));
        Assert.Throws<ArgumentException>(() => Stop.When("loss"));
        Assert.Throws<ArgumentException>(() => Stop.When("loss", atLeast: 1, atMost: 2));
        Assert.Contains("Did you mean 'loss'?", Assert.Throws<KeyNotFoundException>(() => Replay(Stop.When("los", atMost: 1), 1)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void OnPlateau_ValuesEqual_StopsAfterGracePeriod()
    {
        Assert.Equal([false, false, false, false, true], Replay(Stop.OnPlateau("loss", tolerance: 0.01, results: 3, gracePeriod: 5), 1, 1, 1, 1, 1));
        Assert.Equal([false, false, false, true], Replay(Stop.OnPlateau("loss", tolerance: 0.1, results: 3, gracePeriod: 1), 5, 1, 1.1, 1.05));
    }

    [Fact]
    public void OnPlateau_TwoTrials_AreSeparate()
    {
        var stopper = Stop.OnPlateau("loss", results: 2, gracePeriod: 1);
        Assert.False(stopper.ShouldStop(new("a", 1, 0, MetricValues.From(new { loss = 1 }))));
        Assert.False(stopper.ShouldStop(new("b", 1, 0, MetricValues.From(new { loss = 1 }))));
        Assert.True(stopper.ShouldStop(new("a", 2, 0, MetricValues.From(new { loss = 1 }))));
    }

    [Fact]
    public void After_TimePassed_StopsTheRun()
    {
        var clock = new FakeTimeProvider();
        var stopper = Stop.Any(Stop.If(report => report.Metrics["loss"] > 9), Stop.After(TimeSpan.FromSeconds(5), clock));
        clock.Advance(TimeSpan.FromSeconds(4));
        stopper.Start();
        clock.Advance(TimeSpan.FromSeconds(4));
        Assert.False(stopper.ShouldStopAll());
        clock.Advance(TimeSpan.FromSeconds(1));

        Assert.True(stopper.ShouldStopAll());
        Assert.Equal([false, true], Replay(stopper, 1, 10));
    }

    private static bool[] Replay(Stopper stopper, params double[] losses) => [.. losses.Select((loss, index) => stopper.ShouldStop(new("t", index + 1, 0, MetricValues.From(new { loss }))))];
}
