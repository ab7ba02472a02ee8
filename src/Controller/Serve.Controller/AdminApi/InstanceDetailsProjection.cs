using System.Collections.Immutable;
using Serve.Admin;
using Serve.Control.Autoscaling;
using Serve.Control.Canaries;
using Serve.Control.Desired;
using Serve.Control.Observed;
using Serve.Control.Status;
using Serve.Controller.Loop;
using Serve.Controller.Store;
using Serve.Nodes;
using Serve.Routes;
using Serve.Specs;

namespace Serve.Controller.AdminApi;

/// <summary>Projects the controller's state to Ray Serve's payloads.</summary>
internal sealed class InstanceDetailsProjection(INodeDirectory nodes, NodeStateDirectory directory, ControllerOptions options, NodeListenAddresses addresses, ConfigDirectoryReport configDirectory)
{
    private const string NodeIp = "127.0.0.1";

    /// <summary>Returns the state of all applications.</summary>
    public ServeInstanceDetails GetInstance(ControllerStateView view)
    {
        var targets = Targets();
        var processes = ProcessIds();
        return new()
        {
            ControllerInfo = new() { NodeId = options.NodeId.Value, NodeIp = NodeIp, ActorName = "SERVE_CONTROLLER_ACTOR", WorkerId = nodes.Current.Find(options.NodeId)?.ProcessId },
            HttpOptions = options.HttpOptions,
            Proxies = new Dictionary<string, ProxyDetails>
            {
                [options.NodeId.Value] = new()
                {
                    NodeId = options.NodeId.Value,
                    NodeIp = NodeIp,
                    Status = addresses.Gateway is null ? ProxyStatus.Starting : view.Desired.IsStopping ? ProxyStatus.Draining : ProxyStatus.Healthy,
                    Address = addresses.Gateway,
                },
            },
            Applications = view.Desired.Applications.Values.Where(application => application.Canary is null).ToDictionary(application => application.Name, application => GetApplication(view, application, processes)),
            TargetCapacity = view.Desired.TargetCapacity,
            ConfigDirectory = configDirectory.Current,
            TargetGroups = [.. view.Plan.Routes.Applications
                .Where(route => route.RoutePrefix is not null)
                .Select(route => new TargetGroup { RoutePrefix = route.RoutePrefix!, Targets = targets })],
        };
    }

    /// <summary>Returns the state of one application; null if there is none of that name.</summary>
    public ApplicationDetails? GetApplication(ControllerStateView view, string name) =>
        view.Desired.Applications.GetValueOrDefault(name) is { Canary: null } application ? GetApplication(view, application, ProcessIds()) : null;

    private ApplicationDetails GetApplication(ControllerStateView view, DesiredApplication application, Dictionary<string, int> processes)
    {
        var target = application.Requested;
        var report = view.Plan.Status.GetValueOrDefault(application.Name);
        return new()
        {
            Name = application.Name,
            RoutePrefix = target.RoutePrefix,
            Status = report?.Status ?? ApplicationStatus.NotStarted,
            Message = report?.Message ?? "",
            LastDeployedTimeS = Seconds(application.DeployedAt),
            DeployedAppConfig = ConfigOf(target, deployment => application.TargetOf(deployment).Replicas),
            Ingress = target.Ingress,
            CodeHash = target.Package.Hash,
            Revision = target.Number,
            Canary = CanaryChanges.Find(view.Desired, application.Name) is { } canary ? Canary(view, application, canary, processes) : null,
            Deployments = report?.Deployments.ToDictionary(
                pair => pair.Key, pair => Deployment(view, application, new(application.Name, pair.Key), pair.Value, processes)) ?? [],
        };
    }

    private CanaryDetails Canary(ControllerStateView view, DesiredApplication stable, DesiredApplication canary, Dictionary<string, int> processes)
    {
        var (state, report) = (canary.Canary!, view.Plan.Status.GetValueOrDefault(canary.Name));
        var counts = view.Observed.RevisionRequestsOf(stable.Name, canary.Requested.Number);
        return new()
        {
            Revision = canary.Requested.Number,
            Application = canary.Name,
            Status = report?.Status ?? ApplicationStatus.NotStarted,
            Message = report?.Message ?? "",
            IsPromoting = state.IsPromoting,
            Percent = state.Percent,
            Step = state.Steps.Count > 0 ? state.Step + 1 : null,
            StepStartTimeS = state.StepStartedAt is { } started ? Seconds(started) : null,
            Reason = counts.Reason,
            Settings = state.Settings,
            Shadow = state.Shadow,
            Decisions = [.. state.Decisions.Reverse().Select(decision => new CanaryDecisionDetails
            {
                TimestampS = Seconds(decision.At),
                PrevPercent = decision.From,
                CurrPercent = decision.To,
                Reason = decision.Reason,
            })],
            Requests =
            [
                Requests(stable.LastGood?.Number ?? stable.Requested.Number, "stable", 100 - state.Percent, counts.Stable),
                Requests(canary.Requested.Number, "canary", state.Percent, counts.Canary),
                .. state.Shadow is { } shadow ? [Requests(canary.Requested.Number, "shadow", shadow.Percent, counts.Shadow)] : Array.Empty<RevisionRequestDetails>(),
            ],
            Deployments = report?.Deployments.ToDictionary(pair => pair.Key, pair => Deployment(view, canary, new(canary.Name, pair.Key), pair.Value, processes)) ?? [],
        };
    }

    private static RevisionRequestDetails Requests(long revision, string role, double percent, RequestCounts counts) => new()
    {
        Revision = revision,
        Role = role,
        Percent = percent,
        Requests = counts.Requests,
        ErrorRate = counts.ErrorRate,
        P50Ms = counts.LatencyAt(50),
        P99Ms = counts.LatencyAt(99),
    };

    /// <summary>Returns the revisions of an application, newest first; null if there is none of that name.</summary>
    public static RevisionDetailsList? GetRevisions(ControllerStateView view, string name)
    {
        if (view.Desired.Applications.GetValueOrDefault(name) is not { Canary: null } application)
            return null;
        var canary = CanaryChanges.Find(view.Desired, name);
        IEnumerable<PastRevision> all = [.. application.History, new(application.Requested, application.DeployedAt)];
        if (canary is not null && canary.Requested.Number != application.Requested.Number)
            all = all.Append(new(canary.Requested, canary.DeployedAt));
        return new()
        {
            Revisions = [.. all.OrderByDescending(past => past.Revision.Number).Select(past => new RevisionDetails
            {
                Revision = past.Revision.Number,
                DeployedTimeS = Seconds(past.DeployedAt),
                IsCurrent = past.Revision.Number == application.Requested.Number,
                IsLastGood = past.Revision.Number == application.LastGood?.Number,
                IsCanary = past.Revision.Number == canary?.Requested.Number,
                CanaryEnd = past.CanaryEnd,
                Note = past.Revision.Config.Note,
                CodeHash = past.Revision.Package.Hash,
                Config = ConfigOf(past.Revision, deployment => deployment.Spec.NumReplicas),
            })],
        };
    }

    private static ApplicationConfig ConfigOf(ApplicationRevision revision, Func<DeploymentRevision, int> replicas) => revision.Config with
    {
        RoutePrefix = revision.RoutePrefix ?? ApplicationConfig.NoRoute,
        Isolation = revision.Isolation,
        Deployments = [.. revision.Deployments.Values.Select(deployment => Options(deployment.Spec, replicas(deployment)))],
    };

    private DeploymentDetails Deployment(ControllerStateView view, DesiredApplication application, DeploymentId id, DeploymentStatusReport report, Dictionary<string, int> processes)
    {
        var requested = application.Requested.Find(id.Name);
        var spec = (requested ?? report.Deployment ?? application.LastGood?.Find(id.Name))?.Spec ?? DeploymentSpec.Default with { Name = id.Name };
        return new()
        {
            Name = id.Name,
            Status = report.Status,
            StatusTrigger = report.Trigger,
            Message = report.Message,
            Notices = [.. view.Observed.ReplicasOf(id).Where(replica => replica.IsLive).SelectMany(replica => replica.Notices).Distinct(StringComparer.Ordinal)],
            AutoscalingDetail = report.Autoscaling is { } scaling ? Autoscaling(scaling, report, view.Observed.LoadOf(id), view.Observed.MetricsOf(id)) : null,
            DeploymentConfig = Options(spec, requested is null ? spec.NumReplicas : application.TargetOf(requested).Replicas),
            TargetNumReplicas = report.TargetReplicas,
            RequiredResources = Amounts(ResourceAmounts.Of(spec.Resources).Units),
            Replicas = [.. view.Observed.ReplicasOf(id).OrderBy(replica => replica.Rank).ThenBy(replica => replica.StartedAt).Select(replica => Replica(replica, processes))],
        };
    }

    private static DeploymentAutoscalingDetail Autoscaling(AutoscalingState state, DeploymentStatusReport report, DeploymentLoad load, IReadOnlyDictionary<string, IReadOnlyDictionary<string, double>> metrics) => new()
    {
        ScalingStatus = report.Status switch
        {
            DeploymentStatus.Upscaling => AutoscalingStatus.Upscaling,
            DeploymentStatus.Downscaling => AutoscalingStatus.Downscaling,
            _ => AutoscalingStatus.Stable,
        },
        Reason = state.Reason,
        DesiredNumReplicas = state.Desired,
        Decisions = [.. state.Decisions.Reverse().Select(decision => new ScalingDecisionDetails
        {
            TimestampS = Seconds(decision.At),
            Reason = decision.Reason,
            PrevNumReplicas = decision.From,
            CurrNumReplicas = decision.To,
        })],
        Metrics = metrics.Values.SelectMany(values => values)
            .Append(new("queued_requests", load.Queued))
            .Append(new("ongoing_requests", load.Total - load.Queued))
            .GroupBy(pair => pair.Key).ToDictionary(group => group.Key, group => group.Sum(pair => pair.Value)),
        Errors = state.PolicyError is { } error ? [error] : [],
    };

    // Agents compose the list of their workers anew each time, which a loop over many replicas cannot afford.
    private Dictionary<string, int> ProcessIds() =>
        nodes.Current.Agents.SelectMany(agent => agent.Workers.Select(worker => (worker.WorkerId, worker.ProcessId)).Append((agent.ProcessId, Environment.ProcessId)))
            .DistinctBy(process => process.Item1).ToDictionary(process => process.Item1, process => process.Item2);

    private ReplicaDetails Replica(ObservedReplica replica, Dictionary<string, int> processes)
    {
        return new()
        {
            ReplicaId = replica.Id.ToString(),
            State = replica switch
            {
                { Phase: ReplicaPhase.Starting } => ReplicaState.Starting,
                { Phase: ReplicaPhase.Running, IsUpdating: true } => ReplicaState.Updating,
                { Phase: ReplicaPhase.Running } => ReplicaState.Running,
                _ => ReplicaState.Stopping,
            },
            Rank = replica.Rank,
            Message = replica.Reason,
            Pid = replica.Address is { } address && processes.TryGetValue(address.ProcessId, out var pid) ? pid : null,
            StartTimeS = Seconds(replica.StartedAt),
            NodeId = replica.Node.Value,
            NodeIp = NodeIp,
            ActorId = replica.Id.ToString(),
            WorkerId = replica.Address?.ProcessId,
            LogFilePath = Path.Combine(directory.Replicas.LogsOf(replica.Id), "replica.log"),
        };
    }

    private List<TargetDetails> Targets() => Uri.TryCreate(addresses.Gateway, UriKind.Absolute, out var gateway)
        ? [new() { Ip = gateway.Host, Port = gateway.Port, Name = options.NodeId.Value }]
        : [];

    /// <summary>Converts amounts to whole units.</summary>
    public static Dictionary<string, double> Amounts(ImmutableSortedDictionary<string, long> units) =>
        units.ToDictionary(unit => unit.Key, unit => unit.Value / (double)ResourceDemand.UnitsPerOne);

    /// <summary>Converts a time to seconds since 1970, UTC.</summary>
    public static double Seconds(DateTimeOffset time) => time.ToUnixTimeMilliseconds() / 1000.0;

    private static DeploymentOptions Options(DeploymentSpec spec, int replicas) => new()
    {
        Name = spec.Name,
        NumReplicas = spec.Autoscaling is null ? replicas : ReplicaCount.Auto,
        AutoscalingConfig = spec.Autoscaling?.ToOptions(),
        MaxOngoingRequests = spec.MaxOngoingRequests,
        MaxQueuedRequests = spec.MaxQueuedRequests,
        UserConfig = spec.UserConfig,
        GracefulShutdownWaitLoopS = spec.GracefulShutdownWaitLoopS,
        GracefulShutdownTimeoutS = spec.GracefulShutdownTimeoutS,
        HealthCheckPeriodS = spec.HealthCheckPeriodS,
        HealthCheckTimeoutS = spec.HealthCheckTimeoutS,
        MaxConstructorRetryCount = spec.MaxConstructorRetryCount,
        Concurrency = spec.Concurrency,
        RequestRouterConfig = spec.Router == new RequestRouterSpec() ? null : new()
        {
            Policy = spec.Router.RequestRouterClass is null ? spec.Router.Policy : null,
            Key = spec.Router.Key,
            RequestRouterClass = spec.Router.RequestRouterClass,
            RequestRouterKwargs = spec.Router.RequestRouterKwargs,
            RequestRoutingStatsPeriodS = spec.Router.RequestRoutingStatsPeriodS,
            RequestRoutingStatsTimeoutS = spec.Router.RequestRoutingStatsTimeoutS,
        },
        GangSchedulingConfig = spec.Gang is { } gang
            ? new() { GangSize = gang.GangSize, GangPlacementStrategy = gang.GangPlacementStrategy, RuntimeFailurePolicy = gang.RuntimeFailurePolicy } : null,
        ActorOptions = new()
        {
            NumCpus = spec.Resources.NumCpus,
            NumGpus = spec.Resources.NumGpus,
            Memory = spec.Resources.Memory,
            Resources = spec.Resources.Resources.IsEmpty ? null : spec.Resources.Resources,
        },
    };
}
