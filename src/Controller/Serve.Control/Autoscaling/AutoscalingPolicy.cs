using System.Globalization;
using Serve.Specs;

namespace Serve.Control.Autoscaling;

/// <summary>Input of one decision about a deployment.</summary>
public sealed record AutoscalingInput
{
    /// <summary>The settings.</summary>
    public required AutoscalingSpec Spec { get; init; }

    /// <summary>Lower bound, after the target capacity.</summary>
    public required int MinReplicas { get; init; }

    /// <summary>Upper bound, after the target capacity.</summary>
    public required int MaxReplicas { get; init; }

    /// <summary>The target is a multiple of this: the size of a gang.</summary>
    public int Step { get; init; } = 1;

    /// <summary>The current target.</summary>
    public required int Target { get; init; }

    /// <summary>Number of replicas that serve requests.</summary>
    public int Running { get; init; }

    /// <summary>The reported load.</summary>
    public DeploymentLoad Load { get; init; } = DeploymentLoad.None;

    /// <summary>Whether a router has reported a request for which there is no replica.</summary>
    public bool IsWoken { get; init; }

    /// <summary>Newest result of the user's policy; null if there is no such policy.</summary>
    public PolicyResult? UserPolicy { get; init; }
}

/// <summary>Newest result of a user's policy.</summary>
/// <param name="Replicas">The number of replicas; null if it has not returned a valid one, and the target is kept.</param>
/// <param name="Reason">Human-readable reason, or the error.</param>
/// <param name="IsError">Whether it threw an exception or returned an invalid result.</param>
public sealed record PolicyResult(int? Replicas, string Reason, bool IsError = false);

/// <summary>Result of one decision.</summary>
/// <param name="Target">The new target.</param>
/// <param name="State">The new state.</param>
/// <param name="NextWakeUp">When to decide again if nothing is reported before; null if there is no need.</param>
public sealed record AutoscalingResult(int Target, AutoscalingState State, DateTimeOffset? NextWakeUp);

/// <summary>
/// Pure choice of a deployment's replica target. The load, queued and ongoing requests aggregated over the look-back period, is divided by the load per replica; the result takes
/// effect after it has been needed for the delay of its direction. The look-back period is at most that delay, which would otherwise be exceeded.
/// </summary>
public static class AutoscalingPolicy
{
    /// <summary>Load of requests that were too short to be counted: more than none.</summary>
    private const double Trace = 1e-6;

    private static readonly TimeSpan ShortestCheck = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestCheck = TimeSpan.FromSeconds(1);

    /// <summary>Decides about one deployment.</summary>
    public static AutoscalingResult Decide(AutoscalingInput input, AutoscalingState state, DateTimeOffset now)
    {
        var spec = input.Spec;
        var lookBack = TimeSpan.FromSeconds(spec.LookBackPeriodS);
        // The request that woke the deployment may not have been counted yet.
        var load = Math.Max(input.Load.Total, input.Load.IsActive || input.IsWoken ? Trace : 0);
        state = state with
        {
            History = state.History.Add(now, load, lookBack),
            IdleSince = load > 0 ? null : Since(state.IdleSince, now),
            UpSince = state.UpSince is null ? null : Since(state.UpSince, now),
            DownSince = state.DownSince is null ? null : Since(state.DownSince, now),
            IsUpscaling = state.IsUpscaling && input.Running < input.Target,
            PolicyError = input.UserPolicy is { IsError: true } failed ? failed.Reason : null,
        };

        var (min, max, target) = (input.MinReplicas, input.MaxReplicas, input.Target);
        if (target < min || target > max)
            return Change(Math.Clamp(target, min, max), target < min ? Text($"min_replicas is {min}") : Text($"max_replicas is {max}"));
        if (target == 0)
            return max > 0 && load > 0 ? Change(input.Step, "a request waits and there is no replica") : new(0, state with { Desired = 0, Reason = "no requests" }, null);

        var (up, upReason) = Needed(input, state, now, Smaller(lookBack, spec.UpscaleDelayS));
        var (down, downReason) = Needed(input, state, now, Smaller(lookBack, spec.DownscaleDelayS));
        (up, down) = (Math.Clamp(InSteps(up), min, max), Math.Clamp(InSteps(down), min, max));
        if (up > target)
        {
            state = state with { Desired = up, UpSince = state.UpSince ?? now, DownSince = null };
            var at = state.UpSince!.Value.AddSeconds(spec.UpscaleDelayS);
            return at <= now ? Change(up, upReason) : Wait(at, Text($"{upReason}; more than {target} are needed since {Seconds(now - state.UpSince.Value)} s (upscale_delay_s {spec.UpscaleDelayS})"));
        }

        // The last replica stops after a time without any request.
        var zeroAt = min == 0 && state.IdleSince is { } idle ? idle.AddSeconds(spec.DownscaleToZeroDelayS ?? spec.DownscaleDelayS) : (DateTimeOffset?)null;
        if (target <= input.Step && zeroAt <= now)
            return Change(0, Text($"no requests for {Seconds(now - state.IdleSince!.Value)} s"));
        down = Math.Max(input.Step, down);
        state = state with { Desired = down, UpSince = null, DownSince = down < target ? state.DownSince ?? now : null };
        if (down >= target)
            return zeroAt is not null && target <= input.Step ? Wait(zeroAt, "no requests; the last replica is about to stop") : Wait(null, downReason);
        var downAt = state.DownSince!.Value.AddSeconds(spec.DownscaleDelayS);
        return downAt <= now
            ? Change(down, downReason)
            : Wait(downAt, Text($"{downReason}; fewer than {target} are needed since {Seconds(now - state.DownSince.Value)} s (downscale_delay_s {spec.DownscaleDelayS})"));

        int InSteps(int replicas) => (int)Math.Min(((long)replicas + input.Step - 1) / input.Step * input.Step, int.MaxValue / 4);

        AutoscalingResult Change(int next, string reason) =>
            new(next, state.WithDecision(now, target, next, reason) with { Desired = next }, now + ShortestCheck);

        AutoscalingResult Wait(DateTimeOffset? until, string reason) => new(target, state with { Reason = reason }, NextCheck(until));

        // The aggregated load changes while the look-back period moves.
        DateTimeOffset? NextCheck(DateTimeOffset? until)
        {
            var window = Smaller(lookBack, Math.Max(spec.UpscaleDelayS, spec.DownscaleDelayS));
            if (state.History.IsConstant(now, window))
                return until;
            var check = now + TimeSpan.FromTicks(Math.Clamp(window.Ticks / 20, ShortestCheck.Ticks, LongestCheck.Ticks));
            return until < check ? until : check;
        }
    }

    private static (int Replicas, string Reason) Needed(AutoscalingInput input, AutoscalingState state, DateTimeOffset now, TimeSpan window)
    {
        if (input.UserPolicy is { } policy)
            return (policy.Replicas ?? input.Target, policy.Reason);
        var load = state.History.Aggregate(input.Spec.AggregationFunction, now, window);
        var replicas = Needed(load, input.Target, input.Spec);
        var queued = input.Load.Queued > 0 ? Text($", {input.Load.Queued} queued,") : "";
        return (replicas, Text($"{load:0.##} requests{queued} with target_ongoing_requests {input.Spec.TargetOngoingRequests} need {replicas} replicas"));
    }

    /// <summary>Returns the number of replicas that a load needs, starting from a target. Never decreases as the load grows.</summary>
    public static int Needed(double load, int target, AutoscalingSpec spec)
    {
        var exact = Math.Min(load / spec.TargetOngoingRequests, int.MaxValue / 4);
        var needed = Ceiling(exact);
        if (exact > target)
            return Math.Max(target + 1, Ceiling(Math.Min(target + ((exact - target) * (spec.UpscalingFactor ?? 1)), int.MaxValue / 4)));

        // A factor above 1 must not go below the number that is needed: it would be scaled up again at once.
        return needed >= target ? target : Math.Clamp(Ceiling(target + ((exact - target) * (spec.DownscalingFactor ?? 1))), needed, target - 1);
    }

    // 3.0000000001 is a rounding error, not a fourth replica.
    private static int Ceiling(double value) => (int)Math.Ceiling(value - 1e-9);

    private static TimeSpan Smaller(TimeSpan period, double delayS) => TimeSpan.FromSeconds(Math.Min(period.TotalSeconds, delayS));

    // A clock that went back must not extend a delay.
    private static DateTimeOffset Since(DateTimeOffset? since, DateTimeOffset now) => since is { } time && time <= now ? time : now;

    private static string Seconds(TimeSpan time) => time.TotalSeconds.ToString("0.#", CultureInfo.InvariantCulture);

    private static string Text(FormattableString text) => FormattableString.Invariant(text);
}
