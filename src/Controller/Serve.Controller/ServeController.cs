using System.Reflection;
using Microsoft.Extensions.Logging;
using Serve.Admin;
using Serve.Runtime;
using Serve.Specs;

namespace Serve.Controller;

/// <summary>The controller as the rest of the node sees it: takes what is wanted, tells what is. State is written by its control loop alone.</summary>
public sealed class ServeController : IAsyncDisposable
{
    private readonly IActorRuntime runtime;
    private readonly IApplicationSource source;
    private readonly StateDirectory directory;
    private readonly ControllerOptions options;
    private readonly NodeAddresses addresses;
    private readonly TimeProvider time;
    private readonly DateTimeOffset startedAt;
    private readonly ControlLoop loop;
    private readonly DetailsProjection details;
    private readonly CancellationTokenSource shutdownRequested = new();
    private readonly CancellationTokenSource draining = new();

    /// <summary>A controller that has not begun.</summary>
    public ServeController(
        IActorRuntime runtime, IApplicationSource source, IStateStore store, StateDirectory directory, ControllerOptions options,
        NodeAddresses addresses, ControllerMetrics metrics, TimeProvider time, ILoggerFactory loggers)
    {
        this.runtime = runtime;
        this.source = source;
        this.directory = directory;
        this.options = options;
        this.addresses = addresses;
        this.time = time;
        startedAt = time.GetUtcNow();
        loop = new(runtime, store, directory, options, metrics, time, loggers);
        details = new(runtime, directory, options, addresses);
    }

    /// <summary>Fires when somebody asked over the admin API for the node to end; everything has been drained by then. The composition root stops the servers.</summary>
    public CancellationToken ShutdownRequested => shutdownRequested.Token;

    /// <summary>Fires when the node begins to drain, whoever asked for it. The composition root has load balancers told.</summary>
    public CancellationToken Draining => draining.Token;

    /// <summary>Loads the checkpoint and brings back what it holds.</summary>
    /// <exception cref="StateStoreException">It cannot be read.</exception>
    public void Start() => loop.Start();

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
        if (config.HttpOptions is { } http && http != options.HttpOptions)
        {
            throw new NodeConflictException(
                $"http_options differ from those the node runs with ({options.HttpOptions.Host}:{options.HttpOptions.Port}); they are fixed while it runs. Leave them out, or restart the node with them.");
        }

        return DeployAsync(config.Applications, isWhole: true, cancellationToken);
    }

    /// <summary>Deletes an application: takes it out of the routes, drains it and ends it. Waits for this to be stored.</summary>
    /// <exception cref="NoSuchApplicationException">There is none of that name.</exception>
    public Task DeleteAsync(string application, CancellationToken cancellationToken) =>
        loop.RequestAsync(new ControlEvent.Delete(application), cancellationToken);

    /// <summary>Deletes every application.</summary>
    public Task DeleteAllAsync(CancellationToken cancellationToken) => loop.RequestAsync(new ControlEvent.Delete(null), cancellationToken);

    /// <summary>Sets how many replicas a deployment has. Survives restarts, and deploying the same settings again.</summary>
    /// <exception cref="NoSuchApplicationException">There is no such deployment.</exception>
    /// <exception cref="DefinitionException">The number is out of range.</exception>
    public Task ScaleAsync(DeploymentId deployment, int replicas, CancellationToken cancellationToken) =>
        loop.RequestAsync(new ControlEvent.Scale(deployment, replicas), cancellationToken);

    /// <summary>Everything, for people.</summary>
    public ServeInstanceDetails GetDetails() => details.All(loop.View);

    /// <summary>One application, for people; null when there is none of that name.</summary>
    public ApplicationDetails? GetDetails(string application) => details.One(loop.View, application);

    /// <summary>The nodes, for people.</summary>
    public NodeList GetNodes()
    {
        var resources = runtime.Resources;
        return new()
        {
            Nodes =
            [
                new()
                {
                    NodeId = options.NodeId,
                    Pid = Environment.ProcessId,
                    Version = typeof(ServeController).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "",
                    GatewayAddress = addresses.Gateway,
                    AdminAddress = addresses.Admin,
                    StateDir = directory.Root,
                    StartTimeS = DetailsProjection.Seconds(startedAt),
                    ResourcesTotal = DetailsProjection.Amounts(resources.Total.Units),
                    ResourcesReserved = DetailsProjection.Amounts(resources.Reserved.Units),
                    Workers = Workers(),
                },
            ],
        };
    }

    /// <summary>Drains and ends everything that runs; forgets nothing, so that the next start brings it back. Idempotent.</summary>
    /// <returns>What was ended.</returns>
    public async Task<ShutdownReport> ShutdownAsync(CancellationToken cancellationToken)
    {
        await draining.CancelAsync();
        var (before, workers) = (loop.View, Workers());
        var drained = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        void Look(ControllerView view)
        {
            if (view.Desired.IsStopping && view.Observed.Replicas.IsEmpty)
                drained.TrySetResult();
        }

        loop.Changed += Look;
        try
        {
            await loop.RequestAsync(new ControlEvent.Stop(), cancellationToken);
            Look(loop.View);
            await drained.Task.WaitAsync(cancellationToken);
        }
        finally
        {
            loop.Changed -= Look;
        }

        return new()
        {
            NodePid = Environment.ProcessId,
            Applications = [.. before.Desired.Applications.Keys],
            Replicas = [.. before.Observed.Replicas.Keys],
            Processes = workers,
            Addresses = [.. new[] { addresses.Gateway, addresses.Admin }.OfType<string>()],
        };
    }

    /// <summary>Tells the composition root that the node is to end.</summary>
    public void RequestShutdown() => shutdownRequested.Cancel();

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await loop.DisposeAsync();
        shutdownRequested.Dispose();
        draining.Dispose();
    }

    private List<WorkerDetails> Workers() => [.. runtime.Workers.Select(worker => new WorkerDetails
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
                prepared.Add(new(application, await source.PrepareAsync(application.ImportPath, cancellationToken)));
            }
            catch (DefinitionException wrong)
            {
                errors.AddRange(wrong.Errors);
            }
        }

        return errors.Count == 0
            ? await loop.RequestAsync(new ControlEvent.Deploy(prepared, isWhole), cancellationToken)
            : throw new DefinitionException(errors);
    }

    private static IEnumerable<string> Twice(IEnumerable<ApplicationConfig> applications, Func<ApplicationConfig, string> value, string key) =>
        applications.GroupBy(value, StringComparer.Ordinal).Where(group => group.Count() > 1).Select(group => $"{key}: '{group.Key}' is used by two applications.");
}
