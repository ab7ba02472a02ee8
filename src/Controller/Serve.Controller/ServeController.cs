using System.Collections.Immutable;
using System.Reflection;
using Microsoft.Extensions.Logging;
using Serve.Admin;
using Serve.Control.Autoscaling;
using Serve.Control.Observed;
using Serve.Controller.AdminApi;
using Serve.Controller.Applications;
using Serve.Controller.Decisions;
using Serve.Controller.Logs;
using Serve.Controller.Loop;
using Serve.Controller.Metrics;
using Serve.Controller.Packages;
using Serve.Controller.Store;
using Serve.Nodes;
using Serve.Routes;
using Serve.Specs;

namespace Serve.Controller;

/// <summary>The controller: accepts desired-state changes and reports status. Its control loop is the only writer of its state.</summary>
public sealed class ServeController : IAsyncDisposable
{
    private static readonly TimeSpan PruneInterval = TimeSpan.FromMinutes(5);

    private readonly INodeDirectory _nodes;
    private readonly IApplicationSource _source;
    private readonly NodeStateDirectory _directory;
    private readonly ControllerOptions _options;
    private readonly NodeListenAddresses _addresses;
    private readonly TimeProvider _time;
    private readonly DateTimeOffset _startedAt;
    private readonly ControlLoop _loop;
    private readonly InstanceDetailsProjection _details;
    private readonly NodeLogRetention _logs;
    private readonly PackageRetention _packages;
    private readonly ITimer _pruneTimer;
    private readonly CancellationTokenSource _shutdownRequested = new();
    private readonly CancellationTokenSource _draining = new();
    private readonly CancellationTokenSource _leaving = new();

    /// <summary>Creates a controller; <see cref="StartAsync"/> starts it.</summary>
    public ServeController(
        INodeDirectory nodes, IApplicationSource source, IClusterStore store, NodeStateDirectory directory, ControllerOptions options,
        NodeListenAddresses addresses, ConfigDirectoryReport configDirectory, ControllerMetrics metrics, TimeProvider time, ILoggerFactory loggers,
        IAutoscalingPolicyLoader? policies = null)
    {
        _nodes = nodes;
        _source = source;
        _directory = directory;
        _options = options;
        _addresses = addresses;
        _time = time;
        _startedAt = time.GetUtcNow();
        Decisions = new(time);
        _loop = new(nodes, store, options, metrics, Decisions, policies, time, loggers);
        _details = new(nodes, directory, options, addresses, configDirectory);
        _logs = new(directory.Logs, options.MaxLogBytes, options.DeletedLogRetention, time, loggers.CreateLogger<NodeLogRetention>());
        _packages = new(source, options.UnusedPackageRetention, time, loggers.CreateLogger<PackageRetention>());
        _pruneTimer = time.CreateTimer(_ => Prune(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Canceled when the admin API was asked to shut the node down and everything has been drained. The composition root then stops the servers.</summary>
    public CancellationToken ShutdownRequested => _shutdownRequested.Token;

    /// <summary>Canceled when the node starts to drain. The composition root then reports this to load balancers.</summary>
    public CancellationToken Draining => _draining.Token;

    /// <summary>Canceled when load balancers are to send no more requests to the node, which still serves. The composition root then reports the node as not ready.</summary>
    public CancellationToken Leaving => _leaving.Token;

    /// <summary>The newest decisions and their reasons.</summary>
    public ControlDecisionLog Decisions { get; }

    /// <summary>Loads the stored state and restores its applications.</summary>
    /// <exception cref="StateStoreException">The state cannot be read, or another controller holds the lease.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await _loop.StartAsync(cancellationToken);
        // The packages in use are known now.
        _pruneTimer.Change(PruneInterval, PruneInterval);
    }

    /// <summary>Deploys one application. Waits until its code is built, validated and stored, not until it runs.</summary>
    /// <returns>Whether anything changed.</returns>
    /// <exception cref="DefinitionException">The application is invalid; lists every error.</exception>
    public Task<bool> DeployAsync(ApplicationConfig application, CancellationToken cancellationToken) =>
        DeployAsync([application], isWhole: false, null, cancellationToken);

    /// <summary>Applies a full configuration: deploys its applications and deletes all others.</summary>
    /// <returns>Whether anything changed.</returns>
    /// <exception cref="DefinitionException">An application is invalid, and nothing was deployed; lists every error.</exception>
    /// <exception cref="NodeConflictException">The configuration changes the gateway's HTTP settings.</exception>
    public Task<bool> DeployAsync(ServeConfig config, CancellationToken cancellationToken)
    {
        if (config.HttpOptions is { } http && _options.HttpOptions.DifferencesFrom(http) is { Count: > 0 } differences)
        {
            throw new NodeConflictException(
                $"http_options of the node cannot be changed while it runs: {string.Join("; ", differences)}. Remove them from the config, or restart the node with 'serve start --config FILE'.");
        }

        return DeployAsync(config.Applications, isWhole: true, config.TargetCapacity, cancellationToken);
    }

    /// <summary>
    /// Ends the canary of an application, if it has one and no revision is given; otherwise deploys an earlier revision again, as a new revision with the same code and settings. Waits until that is stored, not
    /// until it is done.
    /// </summary>
    /// <param name="application">The application's name.</param>
    /// <param name="revision">Number of the revision; null for the last good one, or the previous one if the current one runs.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <returns>Whether anything changed.</returns>
    /// <exception cref="ApplicationNotFoundException">There is no such application.</exception>
    /// <exception cref="DefinitionException">There is no such revision.</exception>
    public Task<bool> RollBackAsync(string application, long? revision, CancellationToken cancellationToken) =>
        _loop.RequestAsync(new ControlEvent.RollBackApplication(application, revision), cancellationToken);

    /// <summary>Builds the source of an application again and deploys it with the same settings. Waits until it is stored, not until it runs.</summary>
    /// <param name="application">The application's name.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <returns>Whether anything changed: false if the source is the same.</returns>
    /// <exception cref="ApplicationNotFoundException">There is no such application.</exception>
    /// <exception cref="DefinitionException">The source is invalid.</exception>
    public Task<bool> RedeployAsync(string application, CancellationToken cancellationToken)
    {
        var config = FindConfig(application) ?? throw ApplicationNotFoundException.Of(application, _loop.View.Desired.Applications.Keys);
        return DeployAsync(config with { ImportPath = _source.FindSource(config.ImportPath) }, cancellationToken);
    }

    /// <summary>Lets the canary of an application replace its stable revision. Waits until that is stored, not until it is done.</summary>
    /// <returns>Whether anything changed.</returns>
    /// <exception cref="ApplicationNotFoundException">There is no such application.</exception>
    /// <exception cref="DefinitionException">It has no canary.</exception>
    public Task<bool> PromoteAsync(string application, CancellationToken cancellationToken) =>
        _loop.RequestAsync(new ControlEvent.PromoteCanary(application), cancellationToken);

    /// <summary>Changes the share of an application's canary, and ends its automatic promotion. Waits until that is stored.</summary>
    /// <param name="application">The application's name.</param>
    /// <param name="percent">Percent of the requests, 0 to 100.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <returns>Whether anything changed.</returns>
    /// <exception cref="ApplicationNotFoundException">There is no such application.</exception>
    /// <exception cref="DefinitionException">It has no canary, or the percent is out of range.</exception>
    public Task<bool> ChangeCanaryAsync(string application, double percent, CancellationToken cancellationToken) =>
        _loop.RequestAsync(new ControlEvent.ChangeCanaryShare(application, percent), cancellationToken);

    /// <summary>Returns the revisions of an application, newest first; null if there is none of that name.</summary>
    public RevisionDetailsList? GetRevisions(string application) => InstanceDetailsProjection.GetRevisions(_loop.View, application);

    /// <summary>Deletes an application: removes its routes, drains its replicas and stops them. Waits until the change is stored.</summary>
    /// <exception cref="ApplicationNotFoundException">There is no such application.</exception>
    public Task DeleteAsync(string application, CancellationToken cancellationToken) =>
        _loop.RequestAsync(new ControlEvent.DeleteApplications(application), cancellationToken);

    /// <summary>Deletes every application.</summary>
    public Task DeleteAllAsync(CancellationToken cancellationToken) => _loop.RequestAsync(new ControlEvent.DeleteApplications(null), cancellationToken);

    /// <summary>Sets the number of replicas that a deployment is to have now. It is not a new revision; it survives restarts and a redeployment with the same num_replicas.</summary>
    /// <exception cref="ApplicationNotFoundException">There is no such deployment.</exception>
    /// <exception cref="DefinitionException">The number is out of range.</exception>
    /// <exception cref="NodeConflictException">The deployment follows its load.</exception>
    public Task ScaleAsync(DeploymentId deployment, int replicas, CancellationToken cancellationToken) =>
        _loop.RequestAsync(new ControlEvent.ChangeReplicaTarget(deployment, _ => new(replicas), IsScale: true), cancellationToken);

    /// <summary>Sets the replica target of a model to 0; the target keeps the number of replicas to restore.</summary>
    /// <exception cref="ApplicationNotFoundException">There is no such deployment.</exception>
    public Task UnloadAsync(DeploymentId deployment, CancellationToken cancellationToken) =>
        _loop.RequestAsync(new ControlEvent.ChangeReplicaTarget(deployment, static target => target.Unload()), cancellationToken);

    /// <summary>Restores the replica target of a model that was unloaded or scaled to 0; otherwise has no effect.</summary>
    /// <exception cref="ApplicationNotFoundException">There is no such deployment.</exception>
    public Task LoadAsync(DeploymentId deployment, CancellationToken cancellationToken) =>
        _loop.RequestAsync(new ControlEvent.ChangeReplicaTarget(deployment, static target => target.Load()), cancellationToken);

    /// <summary>Reports that requests wait for a deployment without replicas.</summary>
    internal ValueTask RequestWakeUpAsync(DeploymentId deployment) => _loop.ReportAsync(new ControlObservation.WakeUpRequested(deployment));

    /// <summary>Reports the load that the routers of a node have counted.</summary>
    internal ValueTask ReportLoadAsync(NodeId node, ImmutableDictionary<DeploymentId, DeploymentLoad> loads) => _loop.ReportAsync(new ControlObservation.LoadReported(node, loads));

    /// <summary>Reports the requests that a process of a node has counted.</summary>
    internal ValueTask ReportRequestsAsync(NodeId node, string process, string application, RevisionRequestReport report) =>
        _loop.ReportAsync(new ControlObservation.RequestsCounted(node, process, application, report));

    /// <summary>Reports the metrics of their own that the replicas of a node have reported.</summary>
    internal ValueTask ReportReplicaMetricsAsync(NodeId node, ImmutableDictionary<string, ImmutableSortedDictionary<string, double>> metrics) =>
        _loop.ReportAsync(new ControlObservation.ReplicaMetricsReported(node, metrics));

    /// <summary>Returns the configuration that an application was deployed with, without its replica targets; null if there is none of that name.</summary>
    public ApplicationConfig? FindConfig(string application) => _loop.View.Desired.Applications.GetValueOrDefault(application)?.Requested.Config;

    /// <summary>Returns the state of all applications.</summary>
    public ServeInstanceDetails GetDetails() => _details.GetInstance(_loop.View);

    /// <summary>Returns the state of one application; null if there is none of that name.</summary>
    public ApplicationDetails? GetDetails(string application) => _details.GetApplication(_loop.View, application);

    /// <summary>Returns the nodes.</summary>
    public NodeDetailsList GetNodes() => new()
    {
        Nodes = [.. _nodes.Current.Agents.Select(agent => agent.Id == _options.NodeId ? OwnNode(agent) : Node(agent))],
    };

    /// <summary>Drains and stops all replicas. The stored state is kept, and the next start restores it. Idempotent.</summary>
    /// <returns>The stopped applications, replicas and processes.</returns>
    public async Task<NodeShutdownReport> ShutdownAsync(CancellationToken cancellationToken)
    {
        await _draining.CancelAsync();
        var (before, workers) = (_loop.View, Workers(_nodes.Current.Agents));
        await _loop.RequestAsync(new ControlEvent.StopAllReplicas(), cancellationToken);
        await WaitUntilAsync(view => view.Desired.IsStopping && view.Observed.Replicas.IsEmpty, cancellationToken);
        return new()
        {
            NodePid = Environment.ProcessId,
            Applications = [.. before.Desired.Applications.Keys],
            Replicas = [.. before.Observed.Replicas.Keys],
            Processes = workers,
            Addresses = [.. new[] { _addresses.Gateway, _addresses.Admin }.OfType<string>()],
        };
    }

    /// <summary>Waits until no application is being deployed: each of them runs, has failed, or is unhealthy.</summary>
    /// <param name="cancellationToken">Ends the wait.</param>
    public Task WhenSettledAsync(CancellationToken cancellationToken) => WaitUntilAsync(
        view => view.Desired.Applications.Keys.All(name => view.Plan.Status.TryGetValue(name, out var report)
            && report.Status is not (ApplicationStatus.NotStarted or ApplicationStatus.Deploying)),
        cancellationToken);

    /// <summary>Cancels <see cref="Leaving"/>.</summary>
    public void Leave() => _leaving.Cancel();

    /// <summary>Cancels <see cref="ShutdownRequested"/>.</summary>
    public void RequestShutdown() => _shutdownRequested.Cancel();

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _pruneTimer.DisposeAsync();
        await _loop.DisposeAsync();
        _shutdownRequested.Dispose();
        _draining.Dispose();
        _leaving.Dispose();
    }

    private NodeDetails OwnNode(INodeAgent agent) => Node(agent) with
    {
        Pid = Environment.ProcessId,
        Version = typeof(ServeController).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "",
        GatewayAddress = _addresses.Gateway,
        AdminAddress = _addresses.Admin,
        StateDir = _directory.Root,
        StartTimeS = InstanceDetailsProjection.Seconds(_startedAt),
    };

    private void Prune()
    {
        var view = _loop.View;
        _logs.Prune(view.Desired.Applications.Keys.ToHashSet(StringComparer.Ordinal));
        _packages.Prune(view.Desired, view.Observed);
    }

    private async Task WaitUntilAsync(Func<ControllerStateView, bool> condition, CancellationToken cancellationToken)
    {
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        void Check(ControllerStateView view)
        {
            if (condition(view))
                reached.TrySetResult();
        }

        _loop.Changed += Check;
        try
        {
            Check(_loop.View);
            await reached.Task.WaitAsync(cancellationToken);
        }
        finally
        {
            _loop.Changed -= Check;
        }
    }

    private static NodeDetails Node(INodeAgent agent)
    {
        var resources = agent.Resources;
        return new()
        {
            NodeId = agent.Id.Value,
            Phase = agent.Phase,
            ResourcesTotal = InstanceDetailsProjection.Amounts(resources.Total.Units),
            ResourcesReserved = InstanceDetailsProjection.Amounts(resources.Reserved.Units),
            Workers = Workers([agent]),
        };
    }

    private static List<WorkerProcessDetails> Workers(IEnumerable<INodeAgent> agents) => [.. agents.SelectMany(agent => agent.Workers).Select(worker => new WorkerProcessDetails
    {
        WorkerId = worker.WorkerId,
        Pid = worker.ProcessId,
        Label = worker.Label,
        ActorIds = [.. worker.ActorIds.Select(id => id.Value)],
        LogFilePath = worker.LogFile,
    })];

    private async Task<bool> DeployAsync(IReadOnlyList<ApplicationConfig> applications, bool isWhole, double? capacity, CancellationToken cancellationToken)
    {
        List<string> errors = [.. Duplicates(applications)];
        List<PreparedApplication> prepared = [];
        foreach (var application in applications)
        {
            try
            {
                prepared.Add(new(application, await _source.PrepareAsync(application.ImportPath, cancellationToken)));
            }
            catch (DefinitionException invalid)
            {
                errors.AddRange(invalid.Errors);
            }
        }

        return errors.Count == 0
            ? await _loop.RequestAsync(new ControlEvent.DeployApplications(prepared, isWhole, capacity), cancellationToken)
            : throw new DefinitionException(errors);
    }

    private static IEnumerable<string> Duplicates(IEnumerable<ApplicationConfig> applications) =>
        applications.GroupBy(application => application.Name, StringComparer.Ordinal).Where(group => group.Count() > 1).Select(group => $"name: duplicate application name '{group.Key}'.");
}
