using Prometheus;
using Serve.Admin;
using Serve.Control;

namespace Serve.Controller;

/// <summary>The controller's metrics. Written by the control loop and its effects; Ray Serve's names.</summary>
public sealed class ControllerMetrics
{
    private static readonly double[] Milliseconds = [1, 2, 5, 10, 20, 50, 100, 200, 300, 400, 500, 1000, 2000, 5000, 10000, 60000, 120000, 300000, 600000];
    private static readonly string[] ByDeployment = ["application", "deployment"];
    private readonly Counter starts;
    private readonly Gauge healthy;
    private readonly Histogram startup;
    private readonly Histogram checks;
    private readonly Counter failedChecks;
    private readonly Gauge deploymentStatus;
    private readonly Gauge applicationStatus;
    private readonly Counter loops;
    private HashSet<DeploymentId> shown = [];
    private HashSet<string> shownReplicas = [];

    /// <summary>Metrics in a registry.</summary>
    public ControllerMetrics(CollectorRegistry registry)
    {
        var factory = Prometheus.Metrics.WithCustomRegistry(registry);
        starts = factory.CreateCounter("serve_deployment_replica_starts_total", "Replicas that came up.", ByDeployment);
        healthy = factory.CreateGauge("serve_deployment_replica_healthy", "1 for a replica that runs and is well, 0 for one that does not.", [.. ByDeployment, "replica"]);
        startup = factory.CreateHistogram("serve_replica_startup_latency_ms", "From the decision to start a replica until it answers.", ByDeployment, new() { Buckets = Milliseconds });
        checks = factory.CreateHistogram("serve_health_check_latency_ms", "How long health checks took.", ByDeployment, new() { Buckets = Milliseconds });
        failedChecks = factory.CreateCounter("serve_health_check_failures_total", "Health checks that failed.", ByDeployment);
        deploymentStatus = factory.CreateGauge("serve_deployment_status", "0 DEPLOY_FAILED, 1 UNHEALTHY, 2 UPDATING, 3 UPSCALING, 4 DOWNSCALING, 5 HEALTHY.", ByDeployment);
        applicationStatus = factory.CreateGauge("serve_application_status", "0 NOT_STARTED, 1 DEPLOYING, 2 DEPLOY_FAILED, 3 RUNNING, 4 UNHEALTHY, 5 DELETING.", ["application"]);
        loops = factory.CreateCounter("serve_controller_num_control_loops", "Decisions taken.");
    }

    /// <summary>A decision was taken.</summary>
    public void Looped() => loops.Inc();

    /// <summary>A replica came up.</summary>
    public void ReplicaStarted(DeploymentId deployment, TimeSpan took)
    {
        starts.WithLabels(deployment.Application, deployment.Name).Inc();
        startup.WithLabels(deployment.Application, deployment.Name).Observe(took.TotalMilliseconds);
    }

    /// <summary>A health check ended.</summary>
    public void HealthChecked(DeploymentId deployment, TimeSpan took, bool isWell)
    {
        checks.WithLabels(deployment.Application, deployment.Name).Observe(took.TotalMilliseconds);
        if (!isWell)
            failedChecks.WithLabels(deployment.Application, deployment.Name).Inc();
    }

    internal void Show(ControllerView view)
    {
        HashSet<DeploymentId> deployments = [];
        foreach (var (name, report) in view.Plan.Status)
        {
            applicationStatus.WithLabels(name).Set((int)report.Status);
            foreach (var (deployment, state) in report.Deployments)
            {
                deployments.Add(new(name, deployment));
                deploymentStatus.WithLabels(name, deployment).Set(Value(state.Status));
            }
        }

        foreach (var gone in shown.Except(deployments))
            deploymentStatus.RemoveLabelled(gone.Application, gone.Name);
        foreach (var gone in shown.Select(id => id.Application).Distinct().Where(name => !view.Plan.Status.ContainsKey(name)))
            applicationStatus.RemoveLabelled(gone);
        shown = deployments;

        foreach (var replica in view.Observed.Replicas.Values)
        {
            healthy.WithLabels(replica.Id.Deployment.Application, replica.Id.Deployment.Name, replica.Id.Suffix)
                .Set(replica.Phase == ReplicaPhase.Running && replica.HealthFailures == 0 ? 1 : 0);
        }

        foreach (var gone in shownReplicas.Where(id => !view.Observed.Replicas.ContainsKey(id)))
        {
            if (ReplicaId.TryParse(gone, out var id))
                healthy.RemoveLabelled(id.Deployment.Application, id.Deployment.Name, id.Suffix);
        }

        shownReplicas = [.. view.Observed.Replicas.Keys];
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
