using CsCheck;
using Serve.Control.Autoscaling;
using Serve.Specs;

namespace Serve.Control.Tests.Autoscaling;

public sealed class AutoscalingPolicyTests
{
    private static readonly Gen<AutoscalingSpec> Specs = Gen.Select(
        Gen.Int[0, 3], Gen.Int[0, 20], Gen.Double[0.5, 4], Gen.Int[0, 40], Gen.Int[0, 40],
        Gen.Select(Gen.Double[0.3, 3], Gen.Double[0.3, 3], Gen.Int[0, 2], Gen.Int[1, 40]),
        static (min, more, perReplica, up, down, rest) => new AutoscalingSpec
        {
            MinReplicas = min,
            MaxReplicas = Math.Max(1, min + more),
            TargetOngoingRequests = perReplica,
            UpscaleDelayS = up,
            DownscaleDelayS = down,
            UpscalingFactor = rest.Item1,
            DownscalingFactor = rest.Item2,
            AggregationFunction = (LoadAggregation)rest.Item3,
            LookBackPeriodS = rest.Item4,
        });

    [Fact]
    public void Decide_LoadIncreases_TargetFollowsAfterTheUpscaleDelay()
    {
        var deployment = new AutoscaledDeployment(new() { MaxReplicas = 10, UpscaleDelayS = 5, LookBackPeriodS = 1 }, 1).Set(1).Run(60).Set(12);
        deployment.Run(4.9);
        Assert.Equal(1, deployment.Target);
        Assert.Contains("upscale_delay_s 5", deployment.State.Reason);
        deployment.Run(1);
        Assert.Equal(6, deployment.Target);
        Assert.Equal("12 requests with target_ongoing_requests 2 need 6 replicas", deployment.State.Decisions[^1].Reason);
    }

    [Fact]
    public void Decide_NoUpscaleDelay_DoesNotWaitForTheLookBackPeriod()
    {
        var deployment = new AutoscaledDeployment(new() { MaxReplicas = 64, UpscaleDelayS = 0, TargetOngoingRequests = 1 }, 1).Set(1).Run(100).Set(64);
        Assert.Equal(64, deployment.Target);
    }

    [Fact]
    public void Decide_LoadDecreases_TargetFollowsAfterTheDownscaleDelay()
    {
        var deployment = new AutoscaledDeployment(new() { MaxReplicas = 10, DownscaleDelayS = 60, LookBackPeriodS = 1 }, 10).Set(20).Run(100).Set(4);
        Assert.Equal(10, deployment.Run(59).Target);
        Assert.Contains("downscale_delay_s 60", deployment.State.Reason);
        Assert.Equal(2, deployment.Run(3).Target);
    }

    [Fact]
    public void Decide_LoadReturnsDuringTheDelay_DelayStartsAgain()
    {
        var deployment = new AutoscaledDeployment(new() { MaxReplicas = 10, DownscaleDelayS = 60, LookBackPeriodS = 1 }, 10).Set(20).Run(100).Set(4).Run(50).Set(20).Run(5).Set(4);
        Assert.Equal(10, deployment.Run(59).Target);
        Assert.Equal(2, deployment.Run(5).Target);
    }

    [Theory]
    [InlineData(LoadAggregation.Mean, 5)]
    [InlineData(LoadAggregation.Max, 10)]
    [InlineData(LoadAggregation.Min, 1)]
    public void Decide_AggregationFunction_AppliesToTheLookBackPeriod(LoadAggregation aggregation, int expected)
    {
        var spec = new AutoscalingSpec { MaxReplicas = 100, TargetOngoingRequests = 2.2, UpscaleDelayS = 10, LookBackPeriodS = 10, AggregationFunction = aggregation };
        var deployment = new AutoscaledDeployment(spec, 1);
        for (var second = 0; second < 60; second++)
            deployment.Set(second % 2 == 0 ? 20 : 0, isActive: true).Run(0.999);
        Assert.Equal(expected, deployment.Target);
    }

    [Fact]
    public void Decide_WithoutRequests_LastReplicaStopsAfterDownscaleToZeroDelay()
    {
        var deployment = new AutoscaledDeployment(new() { MinReplicas = 0, MaxReplicas = 8, DownscaleDelayS = 10, DownscaleToZeroDelayS = 60 }, 4).Set(8).Run(100).Set(0);
        Assert.Equal(1, deployment.Run(30).Target);
        Assert.Equal(1, deployment.Run(29).Target);
        Assert.Equal(0, deployment.Run(2).Target);
        Assert.Equal("no requests for 60 s", deployment.State.Decisions[^1].Reason);
    }

    [Fact]
    public void Decide_ShortRequestsBetweenTheSamples_IsNotIdle()
    {
        var deployment = new AutoscaledDeployment(new() { MinReplicas = 0, MaxReplicas = 8, DownscaleDelayS = 5, LookBackPeriodS = 1 }, 1).Set(0);
        for (var i = 0; i < 20; i++)
            deployment.Set(0, isActive: true).Run(0.1).Set(0).Run(4);
        Assert.Equal(1, deployment.Target);
        Assert.Equal(0, deployment.Run(5).Target);
    }

    [Fact]
    public void Decide_ZeroReplicas_FirstRequestStartsOneImmediately()
    {
        var deployment = new AutoscaledDeployment(new() { MinReplicas = 0, MaxReplicas = 8, UpscaleDelayS = 30 }, 0).Set(0);
        Assert.Equal((0, (DateTimeOffset?)null), (deployment.Target, deployment.NextWakeUp));
        Assert.Equal(1, deployment.Set(0, isWoken: true).Target);
        Assert.Equal(1, new AutoscaledDeployment(new() { MinReplicas = 0, MaxReplicas = 8 }, 0).Set(5).Target);
    }

    [Fact]
    public void Decide_WokenAfterALongIdleTime_StaysForDownscaleToZeroDelay()
    {
        var deployment = new AutoscaledDeployment(new() { MinReplicas = 0, MaxReplicas = 8, DownscaleToZeroDelayS = 5 }, 0).Set(0).Run(1000).Set(0, isWoken: true).Set(0);
        Assert.Equal(1, deployment.Run(4).Target);
        Assert.Equal(0, deployment.Run(2).Target);
    }

    [Fact]
    public void Decide_ClockGoesBack_DelaysAreNotExtended()
    {
        var deployment = new AutoscaledDeployment(new() { MaxReplicas = 10, UpscaleDelayS = 5, LookBackPeriodS = 1 }, 1).Set(1).Run(1000).Set(20).Run(2);
        deployment.Now = deployment.Now.AddHours(-1);
        Assert.Equal(10, deployment.Set(20).Run(6).Target);
    }

    [Fact]
    public void Decide_AnyLoad_StaysWithinTheBounds() => Gen.Select(Specs, Gen.Select(Gen.Int[0, 100], Gen.Double[0, 50]).Array[0, 40]).Sample((spec, steps) =>
    {
        // The bounds are checked by every decision.
        var deployment = new AutoscaledDeployment(spec, spec.MinReplicas);
        foreach (var (load, seconds) in steps)
            deployment.Set(load).Run(seconds);
    });

    [Fact]
    public void Decide_ConstantLoad_SettlesWithoutFlapping() => Gen.Select(Specs, Gen.Int[0, 60], Gen.Int[0, 20]).Sample((spec, load, start) =>
    {
        var deployment = new AutoscaledDeployment(spec, Math.Clamp(start, spec.MinReplicas, spec.MaxReplicas)).Set(load).Run(2000);
        var directions = deployment.Changes.Select(change => change.Target).Prepend(Math.Clamp(start, spec.MinReplicas, spec.MaxReplicas)).ToList();
        var turns = Enumerable.Range(2, Math.Max(0, directions.Count - 2)).Count(i => (directions[i] > directions[i - 1]) != (directions[i - 1] > directions[i - 2]));
        Assert.True(turns <= 1, string.Join(" ", directions));
        Assert.Equal(Math.Clamp((int)Math.Ceiling(load / spec.TargetOngoingRequests - 1e-9), spec.MinReplicas, spec.MaxReplicas), deployment.Target);
        deployment.Run(10_000);
        Assert.Equal(directions.Count - 1, deployment.Changes.Count);
    });

    [Fact]
    public void Needed_HigherLoad_NeverNeedsFewer() => Gen.Select(Specs, Gen.Double[0, 200], Gen.Double[0, 50], Gen.Int[1, 30]).Sample((spec, load, more, target) =>
        Assert.True(AutoscalingPolicy.Needed(load, target, spec) <= AutoscalingPolicy.Needed(load + more, target, spec)));

    [Fact]
    public void Decide_24HoursOfTraffic_FollowsTheLoadWithFewDecisions()
    {
        // A day with a peak at 14:00, noise and bursts, one step each second.
        var random = new Random(14);
        var spec = new AutoscalingSpec { MinReplicas = 0, MaxReplicas = 50, UpscaleDelayS = 10, DownscaleDelayS = 300 };
        var deployment = new AutoscaledDeployment(spec, 0);
        var late = 0;
        for (var second = 0; second < 24 * 3600; second++)
        {
            var hour = second / 3600.0;
            var wanted = hour is < 3 or > 23 ? 0 : 40 * Math.Exp(-Math.Pow((hour - 14) / 3, 2)) + (hour % 1 < 0.02 ? 20 : 0);
            deployment.Set(wanted == 0 ? 0 : (int)(wanted * (0.8 + 0.4 * random.NextDouble())));
            deployment.Run(1);
            if (deployment.Load > 2.5 * spec.TargetOngoingRequests * Math.Max(1, deployment.Target))
                late++;
        }

        Assert.Equal(0, deployment.Target);
        Assert.InRange(deployment.Changes.Max(change => change.Target), 20, 50);
        Assert.InRange(deployment.Changes.Count, 20, 400);
        Assert.InRange(late, 0, 24 * 3600 / 100);
    }
}
