using Prometheus;
using Serve.Admin;
using Serve.Control;

namespace Serve.Controller;

/// <summary>The controller's metrics. Written by the control loop and its effects; Ray Serve's names.</summary>
public sealed class ControllerMetrics
{
    private static readonly double[] Milliseconds = [1, 2, 5, 10, 20, 50, 100, 200, 300, 400, 500, 1000, 2000, 5000, 10000, 60000, 120000, 300000, 600000];
    private static readonly string[] ByDeployment = ["application", "deployment"];
    private readonly Counter _starts;
    private readonly Gauge _healthy;
    private readonly Histogram _startup;
    private readonly Histogram _checks;
    private readonly Counter _failedChecks;
    private readonly Gauge _deploymentStatus;
    private readonly Gauge _applicationStatus;
    private readonly Counter _loops;
    private HashSet<DeploymentId> _shown = [];
    private HashSet<string> _shownReplicas = [];

    /// <summary>Metrics in a registry.</summary>
    public ControllerMetrics(CollectorRegistry registry)
    {
        var factory = Prometheus.Metrics.WithCustomRegistry(registry);
        _starts = factory.CreateCounter("serve_deployment_replica_starts_total", "Replicas that came up.", ByDeployment);
        _healthy = factory.CreateGauge("serve_deployment_replica_healthy", "1 for a replica that runs and is well, 0 for one that does not.", [.. ByDeployment, "replica"]);
        _startup = factory.CreateHistogram("serve_replica_startup_latency_ms", "From the decision to start a replica until it answers.", ByDeployment, new() { Buckets = Milliseconds });
        _checks = factory.CreateHistogram("serve_health_check_latency_ms", "How long health checks took.", ByDeployment, new() { Buckets = Milliseconds });
        _failedChecks = factory.CreateCounter("serve_health_check_failures_total", "Health checks that failed.", ByDeployment);
        _deploymentStatus = factory.CreateGauge("serve_deployment_status", "0 DEPLOY_FAILED, 1 UNHEALTHY, 2 UPDATING, 3 UPSCALING, 4 DOWNSCALING, 5 HEALTHY.", ByDeployment);
        _applicationStatus = factory.CreateGauge("serve_application_status", "0 NOT_STARTED, 1 DEPLOYING, 2 DEPLOY_FAILED, 3 RUNNING, 4 UNHEALTHY, 5 DELETING.", ["application"]);
        _loops = factory.CreateCounter("serve_controller_num_control_loops", "Decisions taken.");
    }

    /// <summary>A decision was taken.</summary>
    public void CountDecision() => _loops.Inc();

    /// <summary>A replica came up.</summary>
    public void ReplicaStarted(DeploymentId deployment, TimeSpan took)
    {
        _starts.WithLabels(deployment.Application, deployment.Name).Inc();
        _startup.WithLabels(deployment.Application, deployment.Name).Observe(took.TotalMilliseconds);
    }

    /// <summary>A health check ended.</summary>
    public void HealthChecked(DeploymentId deployment, TimeSpan took, bool isWell)
    {
        _checks.WithLabels(deployment.Application, deployment.Name).Observe(took.TotalMilliseconds);
        if (!isWell)
            _failedChecks.WithLabels(deployment.Application, deployment.Name).Inc();
    }

    internal void Update(ControllerStateView view)
    {
        HashSet<DeploymentId> deployments = [];
        foreach (var (name, report) in view.Plan.Status)
        {
            _applicationStatus.WithLabels(name).Set((int)report.Status);
            foreach (var (deployment, state) in report.Deployments)
            {
                deployments.Add(new(name, deployment));
                _deploymentStatus.WithLabels(name, deployment).Set(Value(state.Status));
            }
        }

        foreach (var gone in _shown.Except(deployments))
            _deploymentStatus.RemoveLabelled(gone.Application, gone.Name);
        foreach (var gone in _shown.Select(id => id.Application).Distinct().Where(name => !view.Plan.Status.ContainsKey(name)))
            _applicationStatus.RemoveLabelled(gone);
        _shown = deployments;

        foreach (var replica in view.Observed.Replicas.Values)
        {
            _healthy.WithLabels(replica.Id.Deployment.Application, replica.Id.Deployment.Name, replica.Id.Suffix)
                .Set(replica.Phase == ReplicaPhase.Running && replica.HealthFailures == 0 ? 1 : 0);
        }

        foreach (var gone in _shownReplicas.Where(id => !view.Observed.Replicas.ContainsKey(id)))
        {
            if (ReplicaId.TryParse(gone, out var id))
                _healthy.RemoveLabelled(id.Deployment.Application, id.Deployment.Name, id.Suffix);
        }

        _shownReplicas = [.. view.Observed.Replicas.Keys];
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
