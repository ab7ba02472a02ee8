using Serve.Specs;

namespace Serve;

/// <summary>
/// Chooses the number of replicas of a deployment; named by <c>autoscaling_config.policy.policy_class</c>. Runs in the node's process, each <see cref="AutoscalingSpec.MetricsIntervalS"/>,
/// one call at a time, and may keep state in its fields. Bounds and delays of the settings apply to its results. While it throws, or returns an invalid result, the number of replicas is kept.
/// </summary>
public interface IAutoscalingPolicy
{
    /// <summary>Returns the number of replicas that the deployment needs. Must return within 10 s.</summary>
    /// <param name="context">The deployment and its load.</param>
    AutoscalingDecision Decide(AutoscalingContext context);
}

/// <summary>
/// Chooses the numbers of replicas of all deployments of an application that have <c>autoscaling_config</c>; named by <c>autoscaling_policy.policy_class</c> of the application. As
/// <see cref="IAutoscalingPolicy"/> otherwise.
/// </summary>
public interface IApplicationAutoscalingPolicy
{
    /// <summary>Returns the number of replicas that each deployment needs; a deployment that is absent keeps its number.</summary>
    /// <param name="deployments">The deployments and their loads, by name.</param>
    IReadOnlyDictionary<string, AutoscalingDecision> Decide(IReadOnlyDictionary<string, AutoscalingContext> deployments);
}

/// <summary>A deployment and its load, as an autoscaling policy sees it.</summary>
public sealed record AutoscalingContext
{
    /// <summary>The deployment.</summary>
    public required DeploymentId Deployment { get; init; }

    /// <summary>Its settings.</summary>
    public required AutoscalingSpec Settings { get; init; }

    /// <summary>The number of replicas that it is to have now.</summary>
    public required int TargetReplicas { get; init; }

    /// <summary>The number of replicas that serve requests.</summary>
    public required int RunningReplicas { get; init; }

    /// <summary>Requests that wait for a replica.</summary>
    public required int QueuedRequests { get; init; }

    /// <summary>Requests that are being processed, by replica; replicas without are absent.</summary>
    public required IReadOnlyDictionary<string, int> OngoingRequests { get; init; }

    /// <summary>The newest results of the class's <c>ReportAutoscalingStats</c>, by running replica; replicas that have not reported are absent.</summary>
    public required IReadOnlyDictionary<string, IReadOnlyDictionary<string, double>> ReplicaMetrics { get; init; }

    /// <summary>All requests, aggregated over the look-back period.</summary>
    public required double TotalRequests { get; init; }

    /// <summary>The time.</summary>
    public required DateTimeOffset Now { get; init; }
}

/// <summary>Result of an autoscaling policy.</summary>
/// <param name="Replicas">The number of replicas, at least 0.</param>
/// <param name="Reason">Human-readable reason, which the status shows.</param>
public sealed record AutoscalingDecision(int Replicas, string Reason);
