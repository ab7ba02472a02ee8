using System.Collections.Immutable;
using Serve.Admin;
using Serve.Control.Autoscaling;
using Serve.Control.Desired;
using Serve.Control.Observed;
using Serve.Control.Status;
using Serve.Controller.Loop;
using Serve.Controller.Store;
using Serve.Nodes;
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
            Applications = view.Desired.Applications.Values.ToDictionary(application => application.Name, application => GetApplication(view, application)),
            TargetCapacity = view.Desired.TargetCapacity,
            ConfigDirectory = configDirectory.Current,
            TargetGroups = [.. view.Plan.Routes.Applications
                .Where(route => route.RoutePrefix is not null)
                .Select(route => new TargetGroup { RoutePrefix = route.RoutePrefix!, Targets = targets })],
        };
    }

    /// <summary>Returns the state of one application; null if there is none of that name.</summary>
    public ApplicationDetails? GetApplication(ControllerStateView view, string name) =>
        view.Desired.Applications.TryGetValue(name, out var application) ? GetApplication(view, application) : null;

    private ApplicationDetails GetApplication(ControllerStateView view, DesiredApplication application)
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
            Deployments = report?.Deployments.ToDictionary(
                pair => pair.Key, pair => Deployment(view, application, new(application.Name, pair.Key), pair.Value)) ?? [],
        };
    }

    /// <summary>Returns the revisions of an application, newest first; null if there is none of that name.</summary>
    public static RevisionDetailsList? GetRevisions(ControllerStateView view, string name) => !view.Desired.Applications.TryGetValue(name, out var application) ? null : new()
    {
        Revisions = [.. application.History.Append(new(application.Requested, application.DeployedAt)).Reverse().Select(past => new RevisionDetails
        {
            Revision = past.Revision.Number,
            DeployedTimeS = Seconds(past.DeployedAt),
            IsCurrent = past.Revision.Number == application.Requested.Number,
            IsLastGood = past.Revision.Number == application.LastGood?.Number,
            Note = past.Revision.Config.Note,
            CodeHash = past.Revision.Package.Hash,
            Config = ConfigOf(past.Revision, deployment => deployment.Spec.NumReplicas),
        })],
    };

    private static ApplicationConfig ConfigOf(ApplicationRevision revision, Func<DeploymentRevision, int> replicas) => revision.Config with
    {
        RoutePrefix = revision.RoutePrefix ?? ApplicationConfig.NoRoute,
        Isolation = revision.Isolation,
        Deployments = [.. revision.Deployments.Values.Select(deployment => Options(deployment.Spec, replicas(deployment)))],
    };

    private DeploymentDetails Deployment(ControllerStateView view, DesiredApplication application, DeploymentId id, DeploymentStatusReport report)
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
            Replicas = [.. view.Observed.ReplicasOf(id).OrderBy(replica => replica.Rank).ThenBy(replica => replica.StartedAt).Select(Replica)],
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

    private ReplicaDetails Replica(ObservedReplica replica)
    {
        var agent = nodes.Current.Find(replica.Node);
        var isInNode = replica.Address is not null && replica.Address.ProcessId == agent?.ProcessId;
        var worker = isInNode ? null : agent?.Workers.FirstOrDefault(candidate => candidate.WorkerId == replica.Address?.ProcessId);
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
            Pid = isInNode ? Environment.ProcessId : worker?.ProcessId,
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
        ActorOptions = new()
        {
            NumCpus = spec.Resources.NumCpus,
            NumGpus = spec.Resources.NumGpus,
            Memory = spec.Resources.Memory,
            Resources = spec.Resources.Resources.IsEmpty ? null : spec.Resources.Resources,
        },
    };
}
