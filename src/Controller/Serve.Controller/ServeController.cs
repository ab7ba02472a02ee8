using System.Reflection;
using Microsoft.Extensions.Logging;
using Serve.Admin;
using Serve.Nodes;
using Serve.Specs;

namespace Serve.Controller;

/// <summary>The controller as the rest of the node sees it: takes what is wanted, tells what is. State is written by its control loop alone.</summary>
public sealed class ServeController : IAsyncDisposable
{
    private readonly INodeAgent _runtime;
    private readonly IApplicationSource _source;
    private readonly NodeStateDirectory _directory;
    private readonly ControllerOptions _options;
    private readonly NodeListenAddresses _addresses;
    private readonly TimeProvider _time;
    private readonly DateTimeOffset _startedAt;
    private readonly ControlLoop _loop;
    private readonly InstanceDetailsProjection _details;
    private readonly CancellationTokenSource _shutdownRequested = new();
    private readonly CancellationTokenSource _draining = new();

    /// <summary>A controller that has not begun.</summary>
    public ServeController(
        INodeAgent runtime, IApplicationSource source, IClusterStore store, NodeStateDirectory directory, ControllerOptions options,
        NodeListenAddresses addresses, ControllerMetrics metrics, TimeProvider time, ILoggerFactory loggers)
    {
        this._runtime = runtime;
        this._source = source;
        this._directory = directory;
        this._options = options;
        this._addresses = addresses;
        this._time = time;
        _startedAt = time.GetUtcNow();
        _loop = new(runtime, store, directory, options, metrics, time, loggers);
        _details = new(runtime, directory, options, addresses);
    }

    /// <summary>Fires when somebody asked over the admin API for the node to end; everything has been drained by then. The composition root stops the servers.</summary>
    public CancellationToken ShutdownRequested => _shutdownRequested.Token;

    /// <summary>Fires when the node begins to drain, whoever asked for it. The composition root has load balancers told.</summary>
    public CancellationToken Draining => _draining.Token;

    /// <summary>Loads the checkpoint and brings back what it holds.</summary>
    /// <exception cref="StateStoreException">It cannot be read.</exception>
    public void Start() => _loop.Start();

    /// <summary>Deploys one application beside the others. Waits for its code to be built, checked and stored, not for it to run.</summary>
    /// <returns>Whether anything changed.</returns>
    /// <exception cref="DefinitionException">Everything that is wrong.</exception>
    public Task<bool> DeployAsync(ApplicationConfig application, CancellationToken cancellationToken) =>
        DeployAsync([application], isWhole: false, cancellationToken);

    /// <summary>Makes a whole config true: its applications run, all others go.</summary>
    /// <returns>Whether anything changed.</returns>
    /// <exception cref="DefinitionException">Everything that is wrong, in any of them; then nothing is deployed.</exception>
    /// <exception cref="NodeConflictException">It wants the gateway to listen elsewhere.</exception>
    public Task<bool> DeployAsync(ServeConfig config, CancellationToken cancellationToken)
    {
        if (config.HttpOptions is { } http && http != _options.HttpOptions)
        {
            throw new NodeConflictException(
                $"http_options differ from those the node runs with ({_options.HttpOptions.Host}:{_options.HttpOptions.Port}); they are fixed while it runs. Leave them out, or restart the node with them.");
        }

        return DeployAsync(config.Applications, isWhole: true, cancellationToken);
    }

    /// <summary>Deletes an application: takes it out of the routes, drains it and ends it. Waits for this to be stored.</summary>
    /// <exception cref="ApplicationNotFoundException">There is none of that name.</exception>
    public Task DeleteAsync(string application, CancellationToken cancellationToken) =>
        _loop.RequestAsync(new ControlEvent.DeleteApplications(application), cancellationToken);

    /// <summary>Deletes every application.</summary>
    public Task DeleteAllAsync(CancellationToken cancellationToken) => _loop.RequestAsync(new ControlEvent.DeleteApplications(null), cancellationToken);

    /// <summary>Sets how many replicas a deployment has. Survives restarts, and deploying the same settings again.</summary>
    /// <exception cref="ApplicationNotFoundException">There is no such deployment.</exception>
    /// <exception cref="DefinitionException">The number is out of range.</exception>
    public Task ScaleAsync(DeploymentId deployment, int replicas, CancellationToken cancellationToken) =>
        _loop.RequestAsync(new ControlEvent.ScaleDeployment(deployment, replicas), cancellationToken);

    /// <summary>Everything, for people.</summary>
    public ServeInstanceDetails GetDetails() => _details.GetInstance(_loop.View);

    /// <summary>One application, for people; null when there is none of that name.</summary>
    public ApplicationDetails? GetDetails(string application) => _details.GetApplication(_loop.View, application);

    /// <summary>The nodes, for people.</summary>
    public NodeDetailsList GetNodes()
    {
        var resources = _runtime.Resources;
        return new()
        {
            Nodes =
            [
                new()
                {
                    NodeId = _options.NodeId,
                    Pid = Environment.ProcessId,
                    Version = typeof(ServeController).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "",
                    GatewayAddress = _addresses.Gateway,
                    AdminAddress = _addresses.Admin,
                    StateDir = _directory.Root,
                    StartTimeS = InstanceDetailsProjection.Seconds(_startedAt),
                    ResourcesTotal = InstanceDetailsProjection.Amounts(resources.Total.Units),
                    ResourcesReserved = InstanceDetailsProjection.Amounts(resources.Reserved.Units),
                    Workers = Workers(),
                },
            ],
        };
    }

    /// <summary>Drains and ends everything that runs; forgets nothing, so that the next start brings it back. Idempotent.</summary>
    /// <returns>What was ended.</returns>
    public async Task<NodeShutdownReport> ShutdownAsync(CancellationToken cancellationToken)
    {
        await _draining.CancelAsync();
        var (before, workers) = (_loop.View, Workers());
        var drained = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        void Look(ControllerStateView view)
        {
            if (view.Desired.IsStopping && view.Observed.Replicas.IsEmpty)
                drained.TrySetResult();
        }

        _loop.Changed += Look;
        try
        {
            await _loop.RequestAsync(new ControlEvent.StopAllReplicas(), cancellationToken);
            Look(_loop.View);
            await drained.Task.WaitAsync(cancellationToken);
        }
        finally
        {
            _loop.Changed -= Look;
        }

        return new()
        {
            NodePid = Environment.ProcessId,
            Applications = [.. before.Desired.Applications.Keys],
            Replicas = [.. before.Observed.Replicas.Keys],
            Processes = workers,
            Addresses = [.. new[] { _addresses.Gateway, _addresses.Admin }.OfType<string>()],
        };
    }

    /// <summary>Tells the composition root that the node is to end.</summary>
    public void RequestShutdown() => _shutdownRequested.Cancel();

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _loop.DisposeAsync();
        _shutdownRequested.Dispose();
        _draining.Dispose();
    }

    private List<WorkerProcessDetails> Workers() => [.. _runtime.Workers.Select(worker => new WorkerProcessDetails
    {
        WorkerId = worker.WorkerId,
        Pid = worker.ProcessId,
        Label = worker.Label,
        ActorIds = [.. worker.ActorIds.Select(id => id.Value)],
        LogFilePath = worker.LogFile,
    })];

    private async Task<bool> DeployAsync(IReadOnlyList<ApplicationConfig> applications, bool isWhole, CancellationToken cancellationToken)
    {
        List<string> errors = [.. Twice(applications, application => application.Name, "name")];
        List<PreparedApplication> prepared = [];
        foreach (var application in applications)
        {
            try
            {
                prepared.Add(new(application, await _source.PrepareAsync(application.ImportPath, cancellationToken)));
            }
            catch (DefinitionException wrong)
            {
                errors.AddRange(wrong.Errors);
            }
        }

        return errors.Count == 0
            ? await _loop.RequestAsync(new ControlEvent.DeployApplications(prepared, isWhole), cancellationToken)
            : throw new DefinitionException(errors);
    }

    private static IEnumerable<string> Twice(IEnumerable<ApplicationConfig> applications, Func<ApplicationConfig, string> value, string key) =>
        applications.GroupBy(value, StringComparer.Ordinal).Where(group => group.Count() > 1).Select(group => $"{key}: '{group.Key}' is used by two applications.");
}
