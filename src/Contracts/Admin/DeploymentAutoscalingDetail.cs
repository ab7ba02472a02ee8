using System.Text.Json.Serialization;

namespace Serve.Admin;

/// <summary>Inputs and decisions of a deployment's autoscaler, in Ray Serve's schema.</summary>
public sealed record DeploymentAutoscalingDetail
{
    /// <summary>Whether the number of replicas is changing.</summary>
    public AutoscalingStatus ScalingStatus { get; init; }

    /// <summary>Human-readable reason of the current target, and of a delay of the next decision.</summary>
    public string Reason { get; init; } = "";

    /// <summary>Number of replicas that the load needs, before delays.</summary>
    public int DesiredNumReplicas { get; init; }

    /// <summary>The newest changes of the target, newest first.</summary>
    public IReadOnlyList<ScalingDecisionDetails> Decisions { get; init; } = [];

    /// <summary>The load, <c>queued_requests</c> and <c>ongoing_requests</c>, and the sums of the replicas' own metrics.</summary>
    public IReadOnlyDictionary<string, double> Metrics { get; init; } = new Dictionary<string, double>();

    /// <summary>Errors of the user's policy.</summary>
    public IReadOnlyList<string> Errors { get; init; } = [];
}

/// <summary>A change of a replica target.</summary>
public sealed record ScalingDecisionDetails
{
    /// <summary>When it was decided, in seconds since 1970.</summary>
    public required double TimestampS { get; init; }

    /// <summary>Human-readable reason.</summary>
    public required string Reason { get; init; }

    /// <summary>The target before.</summary>
    public required int PrevNumReplicas { get; init; }

    /// <summary>The target after.</summary>
    public required int CurrNumReplicas { get; init; }
}

/// <summary>Whether the number of replicas of a deployment is changing. Serialized as Ray Serve's upper-case names.</summary>
public enum AutoscalingStatus
{
    /// <summary>The target is reached.</summary>
    [JsonStringEnumMemberName("STABLE")]
    Stable,

    /// <summary>Replicas are being added.</summary>
    [JsonStringEnumMemberName("UPSCALING")]
    Upscaling,

    /// <summary>Replicas are being removed.</summary>
    [JsonStringEnumMemberName("DOWNSCALING")]
    Downscaling,
}
