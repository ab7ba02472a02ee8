using System.Collections.Concurrent;
using System.Globalization;
using Prometheus;
using Serve.Admin;
using Serve.Control.Canaries;
using Serve.Control.Observed;
using Serve.Controller.Loop;
using Serve.Routes;

namespace Serve.Controller.Metrics;

/// <summary>Metrics of the controller, with Ray Serve's names. Written by the control loop and its actions.</summary>
public sealed class ControllerMetrics
{
    private static readonly double[] Milliseconds = [1, 2, 5, 10, 20, 50, 100, 200, 300, 400, 500, 1000, 2000, 5000, 10000, 60000, 120000, 300000, 600000];
    private static readonly string[] Quantiles = ["0.5", "0.99"];
    private static readonly string[] ByRole = ["application", "role"];
    private static readonly string[] ByDeployment = ["application", "deployment"];

    /// <summary>How long the counts of a deleted deployment are kept.</summary>
    private static readonly TimeSpan Retention = TimeSpan.FromMinutes(5);

    private readonly Counter _starts;
    private readonly Gauge _healthy;
    private readonly Histogram _startup;
    private readonly Histogram _checks;
    private readonly Counter _failedChecks;
    private readonly Gauge _deploymentStatus;
    private readonly Gauge _applicationStatus;
    private readonly Counter _loops;
    private readonly Gauge _target;
    private readonly Gauge _desired;
    private readonly Gauge _load;
    private readonly Gauge _policyTime;
    private readonly Gauge _canaryPercent;
    private readonly Gauge _canaryStep;
    private readonly Gauge _canaryRequests;
    private readonly Gauge _canaryErrorRate;
    private readonly Gauge _canaryLatency;
    private readonly Counter _canaryDecisions;
    private HashSet<string> _shownCanaries = [];
    private readonly Lazy<(Gauge IsApplied, Gauge AppliedAt)> _configDirectory;
    private readonly TimeProvider _time;
    private readonly ConcurrentDictionary<DeploymentId, long> _removedAt = new();
    private volatile HashSet<DeploymentId> _shown = [];
    private HashSet<string> _shownReplicas = [];
    private HashSet<DeploymentId> _shownScaled = [];

    /// <summary>Creates the metrics in a registry.</summary>
    public ControllerMetrics(CollectorRegistry registry, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(registry);
        _time = time;
        registry.AddBeforeCollectCallback(RemoveExpired);
        var factory = Prometheus.Metrics.WithCustomRegistry(registry);
        _starts = factory.CreateCounter("serve_deployment_replica_starts_total", "Replicas that have started.", ByDeployment);
        _healthy = factory.CreateGauge("serve_deployment_replica_healthy", "1 for a running, healthy replica, 0 otherwise.", [.. ByDeployment, "replica"]);
        _startup = factory.CreateHistogram("serve_replica_startup_latency_ms", "Milliseconds from the decision to start a replica until it serves requests.", ByDeployment, new() { Buckets = Milliseconds });
        _checks = factory.CreateHistogram("serve_health_check_latency_ms", "Duration of health checks in milliseconds.", ByDeployment, new() { Buckets = Milliseconds });
        _failedChecks = factory.CreateCounter("serve_health_check_failures_total", "Failed health checks.", ByDeployment);
        _deploymentStatus = factory.CreateGauge("serve_deployment_status", "0 DEPLOY_FAILED, 1 UNHEALTHY, 2 UPDATING, 3 UPSCALING, 4 DOWNSCALING, 5 HEALTHY.", ByDeployment);
        _applicationStatus = factory.CreateGauge("serve_application_status", "0 NOT_STARTED, 1 DEPLOYING, 2 DEPLOY_FAILED, 3 RUNNING, 4 UNHEALTHY, 5 DELETING.", ["application"]);
        _loops = factory.CreateCounter("serve_controller_num_control_loops", "Decisions of the control loop.");
        _target = factory.CreateGauge("serve_autoscaling_target_replicas", "Replicas that the autoscaler has decided on.", ByDeployment);
        _desired = factory.CreateGauge("serve_autoscaling_desired_replicas", "Replicas that the load needs, before delays.", ByDeployment);
        _load = factory.CreateGauge("serve_autoscaling_total_requests", "Queued and ongoing requests, as the autoscaler sees them.", ByDeployment);
        _policyTime = factory.CreateGauge("serve_autoscaling_policy_execution_time_ms", "Duration of the last call of an autoscaling policy of the user in milliseconds.", [.. ByDeployment, "policy_scope"]);
        _canaryPercent = factory.CreateGauge("serve_canary_percent", "Percent of the requests that the canary receives.", ["application"]);
        _canaryStep = factory.CreateGauge("serve_canary_step", "Current step of the automatic promotion, from 1; 0 without steps.", ["application"]);
        _canaryRequests = factory.CreateGauge("serve_canary_requests", "Requests completed while the application has a canary.", ByRole);
        _canaryErrorRate = factory.CreateGauge("serve_canary_error_rate", "Share of these requests that failed, 0 to 1.", ByRole);
        _canaryLatency = factory.CreateGauge("serve_canary_latency_ms", "Latency of these requests in milliseconds.", [.. ByRole, "quantile"]);
        _canaryDecisions = factory.CreateCounter("serve_canary_decisions_total", "Changes of canaries.", ["application", "decision"]);
        // Shown only by nodes with a config directory.
        _configDirectory = new(() => (
            factory.CreateGauge("serve_config_last_apply_successful", "1 if the files of the config directory are applied, 0 if they have errors."),
            factory.CreateGauge("serve_config_last_apply_success_timestamp_seconds", "When the files of the config directory were last applied, in seconds since 1970.")));
    }

    /// <summary>Records an attempt to apply the config directory.</summary>
    /// <param name="isApplied">Whether its files are in effect.</param>
    /// <param name="appliedAt">When they were last applied; null for never.</param>
    public void ConfigDirectoryRead(bool isApplied, DateTimeOffset? appliedAt)
    {
        _configDirectory.Value.IsApplied.Set(isApplied ? 1 : 0);
        if (appliedAt is { } time)
            _configDirectory.Value.AppliedAt.Set(time.ToUnixTimeMilliseconds() / 1000.0);
    }

    /// <summary>Counts a decision.</summary>
    public void CountDecision() => _loops.Inc();

    /// <summary>Records the start of a replica.</summary>
    public void ReplicaStarted(DeploymentId deployment, TimeSpan duration)
    {
        _starts.WithLabels(deployment.Application, deployment.Name).Inc();
        _startup.WithLabels(deployment.Application, deployment.Name).Observe(duration.TotalMilliseconds);
    }

    /// <summary>Records a completed health check.</summary>
    public void HealthChecked(DeploymentId deployment, TimeSpan duration, bool isHealthy)
    {
        _checks.WithLabels(deployment.Application, deployment.Name).Observe(duration.TotalMilliseconds);
        if (!isHealthy)
            _failedChecks.WithLabels(deployment.Application, deployment.Name).Inc();
    }

    /// <summary>Records a call of an autoscaling policy.</summary>
    /// <param name="deployment">The deployment that it decided about.</param>
    /// <param name="duration">Duration of the call.</param>
    /// <param name="isShared">Whether the policy is that of the application.</param>
    public void PolicyCalled(DeploymentId deployment, TimeSpan duration, bool isShared) =>
        _policyTime.WithLabels(deployment.Application, deployment.Name, isShared ? "application" : "deployment").Set(duration.TotalMilliseconds);

    /// <summary>Counts a change of a canary.</summary>
    /// <param name="application">The application.</param>
    /// <param name="decision"><c>share</c>, <c>promote</c> or <c>end</c>.</param>
    public void CountCanaryDecision(string application, string decision) => _canaryDecisions.WithLabels(application, decision).Inc();

    private void UpdateCanaries(ControllerStateView view)
    {
        HashSet<string> shown = [];
        foreach (var canary in view.Desired.Applications.Values.Where(application => application is { Canary: not null, IsDeleting: false }))
        {
            var (name, state) = (CanaryName.ApplicationOf(canary.Name)!, canary.Canary!);
            shown.Add(name);
            _canaryPercent.WithLabels(name).Set(state.Percent);
            _canaryStep.WithLabels(name).Set(state.Steps.Count > 0 ? state.Step + 1 : 0);
            var counts = view.Observed.RevisionRequestsOf(name, canary.Requested.Number);
            foreach (var (role, requests) in Roles(counts))
            {
                _canaryRequests.WithLabels(name, role).Set(requests.Requests);
                _canaryErrorRate.WithLabels(name, role).Set(requests.ErrorRate);
                foreach (var quantile in Quantiles)
                    _canaryLatency.WithLabels(name, role, quantile).Set(requests.LatencyAt(100 * double.Parse(quantile, CultureInfo.InvariantCulture)) ?? 0);
            }
        }

        foreach (var name in _shownCanaries.Except(shown))
        {
            _canaryPercent.RemoveLabelled(name);
            _canaryStep.RemoveLabelled(name);
            foreach (var (role, _) in Roles(new() { Revision = 0 }))
            {
                _canaryRequests.RemoveLabelled(name, role);
                _canaryErrorRate.RemoveLabelled(name, role);
                foreach (var quantile in Quantiles)
                    _canaryLatency.RemoveLabelled(name, role, quantile);
            }
        }

        _shownCanaries = shown;
    }

    private static (string Role, RequestCounts Counts)[] Roles(RevisionRequests requests) => [("stable", requests.Stable), ("canary", requests.Canary), ("shadow", requests.Shadow)];

    internal void Update(ControllerStateView view)
    {
        UpdateCanaries(view);
        HashSet<DeploymentId> deployments = [];
        HashSet<DeploymentId> scaled = [];
        foreach (var (name, report) in view.Plan.Status)
        {
            _applicationStatus.WithLabels(name).Set((int)report.Status);
            foreach (var (deployment, state) in report.Deployments)
            {
                deployments.Add(new(name, deployment));
                _deploymentStatus.WithLabels(name, deployment).Set(Value(state.Status));
                if (state.Autoscaling is not { } scaling)
                    continue;
                scaled.Add(new(name, deployment));
                _target.WithLabels(name, deployment).Set(state.TargetReplicas);
                _desired.WithLabels(name, deployment).Set(scaling.Desired);
                _load.WithLabels(name, deployment).Set(view.Observed.LoadOf(new(name, deployment)).Total);
            }
        }

        foreach (var removed in _shownScaled.Except(scaled))
        {
            foreach (var gauge in (Gauge[])[_target, _desired, _load])
                gauge.RemoveLabelled(removed.Application, removed.Name);
            _policyTime.RemoveLabelled(removed.Application, removed.Name, "application");
            _policyTime.RemoveLabelled(removed.Application, removed.Name, "deployment");
        }

        _shownScaled = scaled;
        foreach (var removed in _shown.Except(deployments))
        {
            _deploymentStatus.RemoveLabelled(removed.Application, removed.Name);
            _removedAt[removed] = _time.GetTimestamp();
        }

        foreach (var removed in _shown.Select(id => id.Application).Distinct().Where(name => !view.Plan.Status.ContainsKey(name)))
            _applicationStatus.RemoveLabelled(removed);
        _shown = deployments;

        foreach (var replica in view.Observed.Replicas.Values)
        {
            _healthy.WithLabels(replica.Id.Deployment.Application, replica.Id.Deployment.Name, replica.Id.Suffix)
                .Set(replica.Phase == ReplicaPhase.Running && replica.HealthFailures == 0 ? 1 : 0);
        }

        foreach (var removed in _shownReplicas.Where(id => !view.Observed.Replicas.ContainsKey(id)))
        {
            if (ReplicaId.TryParse(removed, out var id))
                _healthy.RemoveLabelled(id.Deployment.Application, id.Deployment.Name, id.Suffix);
        }

        _shownReplicas = [.. view.Observed.Replicas.Keys];
    }

    // Counts of a deleted deployment are kept for a few scrapes.
    private void RemoveExpired()
    {
        foreach (var (deployment, removedAt) in _removedAt)
        {
            if (!_shown.Contains(deployment))
            {
                if (_time.GetElapsedTime(removedAt) < Retention)
                    continue;
                string[] labels = [deployment.Application, deployment.Name];
                _starts.RemoveLabelled(labels);
                _startup.RemoveLabelled(labels);
                _checks.RemoveLabelled(labels);
                _failedChecks.RemoveLabelled(labels);
            }

            _removedAt.TryRemove(deployment, out _);
        }
    }

    private static int Value(DeploymentStatus status) => status switch
    {
        DeploymentStatus.DeployFailed => 0,
        DeploymentStatus.Unhealthy => 1,
        DeploymentStatus.Updating => 2,
        DeploymentStatus.Upscaling => 3,
        DeploymentStatus.Downscaling => 4,
        _ => 5,
    };
}
