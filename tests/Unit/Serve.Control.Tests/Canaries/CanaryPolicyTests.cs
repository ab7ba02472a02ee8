using Serve.Control.Canaries;
using Serve.Routes;
using Serve.Specs;

namespace Serve.Control.Tests.Canaries;

public sealed class CanaryPolicyTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly CanarySpec Steps = new() { Steps = [10, 50, 100], StepDurationS = 60, MaxErrorRate = 0.05, MinRequests = 20 };

    [Fact]
    public void Decide_CanaryHasNotRun_WaitsThenBegins()
    {
        var state = CanaryState.Create(Steps, null, Start);
        Assert.Equal((CanaryVerdict.Wait, "waits until the canary runs"), Decide(state, 0, hasRun: false));
        Assert.Equal(CanaryVerdict.Begin, Decide(state, 0).Verdict);
        Assert.Equal(10, state.Percent);
    }

    [Fact]
    public void Decide_CannotBeStarted_RollsBackOnlyIfAutomatic()
    {
        var automatic = Decide(CanaryState.Create(Steps, null, Start), 0, hasRun: false, failure: "no such file");
        Assert.Equal((CanaryVerdict.RollBack, "the canary could not be started: no such file"), automatic);
        var manual = Decide(CanaryState.Create(new() { Percent = 10 }, null, Start), 0, hasRun: false, failure: "no such file");
        Assert.Equal((CanaryVerdict.Wait, "the canary cannot be started: no such file"), manual);
    }

    [Fact]
    public void Decide_Steps_AdvanceAfterTheirDurationAndEnoughRequests()
    {
        var state = Running(Steps);
        Assert.Equal((CanaryVerdict.Wait, "step 1 of 3 until 00:01:00 UTC"), Decide(state, 59, canary: ControlPlaneSimulation.Requests(100)));
        Assert.Equal(
            (CanaryVerdict.Wait, "step 1 of 3; the rules apply after 20 requests; 19 completed"), Decide(state, 60, canary: ControlPlaneSimulation.Requests(19)));
        Assert.Equal(CanaryVerdict.NextStep, Decide(state, 60, canary: ControlPlaneSimulation.Requests(20)).Verdict);
        Assert.Equal(CanaryVerdict.Promote, Decide(state with { Step = 2 }, 60, canary: ControlPlaneSimulation.Requests(20)).Verdict);
        Assert.Equal(CanaryVerdict.NextStep, Decide(Running(new() { Steps = [1, 2], StepDurationS = 60 }), 60).Verdict);
        Assert.Equal(Start.AddSeconds(60), CanaryPolicy.Decide(new() { State = state, HasRun = true }, Start).NextWakeUp);
    }

    [Theory]
    [InlineData(20, 1, CanaryVerdict.Wait)]
    [InlineData(20, 2, CanaryVerdict.RollBack)]
    [InlineData(19, 19, CanaryVerdict.Wait)]
    public void Decide_ErrorRate_IsComparedOnceThereAreEnoughRequests(long requests, long errors, CanaryVerdict expected) =>
        Assert.Equal(expected, Decide(Running(Steps), 1, canary: ControlPlaneSimulation.Requests(requests, errors)).Verdict);

    [Fact]
    public void Decide_ErrorRule_ReasonNamesRuleAndNumbers() => Assert.Equal(
        "error rate 0.25 of 40 requests is above max_error_rate 0.05", Decide(Running(Steps), 1, canary: ControlPlaneSimulation.Requests(40, 10)).Reason);

    [Theory]
    [InlineData(null, 2.0, 1, 100, CanaryVerdict.RollBack)]
    [InlineData(null, 2.0, 100, 100, CanaryVerdict.Wait)]
    [InlineData(50.0, null, 1000, 100, CanaryVerdict.RollBack)]
    [InlineData(200.0, null, 1, 100, CanaryVerdict.Wait)]
    public void Decide_LatencyRules_CompareWithTheLimitOrTheStableRevision(double? limit, double? ratio, double stable, double canary, CanaryVerdict expected)
    {
        var settings = new CanarySpec { Percent = 10, MaxLatencyMs = limit, MaxLatencyRatio = ratio, MinRequests = 10 };
        var result = Decide(Running(settings), 1, ControlPlaneSimulation.Requests(50, 0, stable), ControlPlaneSimulation.Requests(10, 0, canary));
        Assert.Equal(expected, result.Verdict);
        if (expected == CanaryVerdict.RollBack)
            Assert.Contains(limit is null ? "max_latency_ratio 2 of the stable revision's" : "max_latency_ms 50", result.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Decide_StableRevisionHasTooFewRequests_RatioDoesNotApply() => Assert.Equal(CanaryVerdict.Wait, Decide(
        Running(new() { Percent = 10, MaxLatencyRatio = 2, MinRequests = 10 }), 1, ControlPlaneSimulation.Requests(9), ControlPlaneSimulation.Requests(10, 0, 100)).Verdict);

    [Theory]
    [InlineData("percent", "canary requires percent, header or steps.")]
    [InlineData("both", "canary.percent must not be combined with canary.steps")]
    [InlineData("order", "canary.steps must be increasing percents above 0, but were [50, 10].")]
    [InlineData("zero", "canary.steps must be increasing percents above 0, but were [0, 10].")]
    [InlineData("percentile", "canary.latency_percentile must be above 0 and below 100, but was 100.")]
    public void Problems_ContradictorySettings_AreListed(string kind, string message) => Assert.StartsWith(message, Assert.Single(CanaryState.Problems(kind switch
    {
        "percent" => new(),
        "both" => new() { Percent = 10, Steps = [10] },
        "order" => new() { Steps = [50, 10] },
        "zero" => new() { Steps = [0, 10] },
        _ => new() { Percent = 10, LatencyPercentile = 100 },
    })));

    [Theory]
    [InlineData(50, 3.0)]
    [InlineData(99, 97.0)]
    public void LatencyAt_KnownDistribution_IsWithinTheWidthOfABucket(double percentile, double expected)
    {
        // Half of the requests take 1 to 3 ms, half 3 to 100 ms.
        var counts = Enumerable.Range(0, 1000).Select(i => i < 500 ? 1 + (i / 250.0) : 3 + ((i - 500) / 500.0 * 97)).Aggregate(RequestCounts.None, (sum, each) => sum.Plus(ControlPlaneSimulation.Requests(1, 0, each)));
        Assert.Equal((1000, 0), (counts.Requests, counts.Errors));
        Assert.InRange(counts.LatencyAt(percentile)!.Value, expected / 1.22, expected * 1.22);
        Assert.Null(RequestCounts.None.LatencyAt(50));
        Assert.Equal(0, counts.Minus(counts).Requests);
    }

    private static CanaryState Running(CanarySpec settings) => CanaryState.Create(settings, null, Start) with { StepStartedAt = Start };

    private static (CanaryVerdict Verdict, string Reason) Decide(
        CanaryState state, double seconds, RequestCounts? stable = null, RequestCounts? canary = null, bool hasRun = true, string? failure = null)
    {
        var result = CanaryPolicy.Decide(
            new() { State = state, HasRun = hasRun, Failure = failure, Stable = stable ?? RequestCounts.None, Canary = canary ?? RequestCounts.None }, Start.AddSeconds(seconds));
        return (result.Verdict, result.Reason);
    }
}
