using Serve.Admin;
using Serve.Dashboard.Live;
using Serve.Dashboard.Sampling;
using Serve.Dashboard.Sources;

namespace Serve.Dashboard;

/// <summary>Composes the tables of applications, deployments, replicas and models. Not thread-safe.</summary>
internal sealed class ApplicationTableSampler(IDashboardSource source, TimeProvider time)
{
    private Dictionary<string, DeploymentCounts> _before = [];
    private long _readAt;

    /// <summary>Samples all applications.</summary>
    /// <param name="instance">The applications; null if there are none.</param>
    /// <param name="metrics">Metrics of all processes.</param>
    /// <param name="content">Receives the tables.</param>
    public void Sample(ServeInstanceDetails? instance, MetricTextReader? metrics, Dictionary<string, List<LiveRowContent>> content)
    {
        metrics ??= new();
        var now = time.GetTimestamp();
        var seconds = _readAt == 0 ? double.NaN : time.GetElapsedTime(_readAt, now).TotalSeconds;
        Dictionary<string, DeploymentCounts> counts = new(StringComparer.Ordinal);
        Dictionary<string, (DeploymentRates Rates, int Running)> loads = new(StringComparer.Ordinal);
        List<LiveRowContent> applications = [], deployments = [], replicas = [];
        foreach (var application in instance?.Applications.Values ?? [])
        {
            DeploymentCounts ofApplication = new();
            var (running, target) = (0, 0);
            foreach (var deployment in application.Deployments.Values)
            {
                var key = $"{application.Name}/{deployment.Name}";
                DeploymentCounts ofDeployment = new() { Queued = metrics.QueuedByDeployment.GetValueOrDefault(key) };
                foreach (var replica in deployment.Replicas)
                {
                    var ofReplica = metrics.Replicas.GetValueOrDefault(replica.ReplicaId) ?? new();
                    counts[replica.ReplicaId] = ofReplica;
                    ofDeployment.Add(ofReplica);
                    var rates = DeploymentRates.Between(_before.GetValueOrDefault(replica.ReplicaId), ofReplica, seconds);
                    replicas.Add(new(replica.ReplicaId, ProcessTableSampler.Serialize(Describe(application, deployment, replica)),
                        [Rate(rates.Rate), Time(rates.P50), Time(rates.P99), (float)rates.Ongoing, Rate(rates.ErrorRate), Rate(rates.BatchSize)]));
                }

                // Counts of replicas that have been stopped since are missing in both, so rates do not become negative.
                var before = SumOf(deployment.Replicas.Select(replica => replica.ReplicaId));
                var load = DeploymentRates.Between(before, ofDeployment, seconds);
                counts[key] = ofDeployment;
                var started = deployment.Replicas.Count(static replica => replica.State is ReplicaState.Running or ReplicaState.Updating);
                deployments.Add(new(key, ProcessTableSampler.Serialize(Describe(application, deployment)),
                [
                    deployment.TargetNumReplicas, started, deployment.Replicas.Count(static replica => replica.State == ReplicaState.Starting),
                    deployment.Replicas.Count(static replica => replica.State == ReplicaState.Stopping), deployment.Replicas.Count(static replica => replica.State == ReplicaState.Updating),
                    .. Load(load), Rate(load.BatchSize),
                ]));
                // Requests enter at the ingress; those between deployments are not requests to the application.
                if (deployment.Name == application.Ingress)
                    ofApplication.Add(ofDeployment);
                (running, target) = (running + started, target + deployment.TargetNumReplicas);
            }

            var ingress = application.Ingress is { } name && application.Deployments.TryGetValue(name, out var found) ? found.Replicas.Select(replica => replica.ReplicaId) : [];
            var total = DeploymentRates.Between(SumOf(ingress), ofApplication, seconds);
            loads[application.Name] = (total, running);
            applications.Add(new(application.Name, ProcessTableSampler.Serialize(Describe(application)), [running, target, .. Load(total)]));
        }

        content[LiveTopics.Applications] = applications;
        content[LiveTopics.Deployments] = deployments;
        content[LiveTopics.Replicas] = replicas;
        content[LiveTopics.Models] = [.. source.GetModels().Select(model => Model(model, loads.GetValueOrDefault(model.Application, (DeploymentRates.Unknown, 0))))];
        content[LiveTopics.Decisions] = [new("newest", "{}"u8.ToArray(), [source.GetNewestDecision()])];
        (_before, _readAt) = (counts, now);
    }

    private DeploymentCounts SumOf(IEnumerable<string> replicas)
    {
        DeploymentCounts sum = new();
        foreach (var replica in replicas)
        {
            if (_before.TryGetValue(replica, out var counts))
                sum.Add(counts);
        }

        return sum;
    }

    private static LiveRowContent Model(DashboardModel model, (DeploymentRates Rates, int Running) load) =>
        new(model.Name, ProcessTableSampler.Serialize(model), [load.Running, .. Load(load.Rates)]);

    private static float[] Load(DeploymentRates rates) =>
        [Rate(rates.Rate), Time(rates.P50), Time(rates.P99), (float)rates.Queued, (float)rates.Ongoing, Rate(rates.ErrorRate)];

    private static float Rate(double value) => ProcessTableSampler.Round(value, 1);

    private static float Time(double milliseconds) => ProcessTableSampler.Round(milliseconds, milliseconds < 100 ? 1 : 0);

    private static object Describe(ApplicationDetails application) => new
    {
        application.Name,
        application.Status,
        application.Message,
        application.RoutePrefix,
        application.DocsPath,
        application.Ingress,
        LastDeployedS = application.LastDeployedTimeS,
        application.CodeHash,
        Deployments = application.Deployments.Keys,
        IsModel = application.RoutePrefix?.StartsWith("/v2/models/", StringComparison.Ordinal) is true,
    };

    private static object Describe(ApplicationDetails application, DeploymentDetails deployment) => new
    {
        Application = application.Name,
        deployment.Name,
        deployment.Status,
        Trigger = deployment.StatusTrigger,
        deployment.Message,
        deployment.Notices,
        IsAutoscaled = deployment.AutoscalingDetail is not null,
        AutoscalingReason = deployment.AutoscalingDetail?.Reason,
        deployment.DeploymentConfig.MaxOngoingRequests,
        IsIngress = deployment.Name == application.Ingress,
        Resources = deployment.RequiredResources,
    };

    private static object Describe(ApplicationDetails application, DeploymentDetails deployment, ReplicaDetails replica) => new
    {
        replica.ReplicaId,
        Application = application.Name,
        Deployment = deployment.Name,
        replica.State,
        replica.Rank,
        replica.Message,
        replica.Pid,
        replica.NodeId,
        replica.WorkerId,
        replica.StartTimeS,
        Log = $"replica:{replica.ReplicaId}",
    };
}
