using Serve.Admin;
using Serve.Controller;
using Serve.Controller.Applications;
using Serve.Gateway;
using Serve.Inference.Models;
using Serve.Specs;

namespace Serve.Cli.Hosting;

/// <summary>
/// Model repository over the controller: a model is an application at <c>/v2/models/NAME</c>. Unloading sets its replica target to 0; loading deploys its source
/// again and restores the target.
/// </summary>
/// <param name="controller">The controller.</param>
/// <param name="source">Knows where packages were built from.</param>
/// <param name="readiness">Whether the node serves.</param>
/// <param name="time">Clock.</param>
internal sealed class ControllerModelRepository(ServeController controller, IApplicationSource source, GatewayReadiness readiness, TimeProvider time) : IModelRepository
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(20);

    /// <inheritdoc/>
    public bool IsServing => readiness.NotReadyReason is null;

    /// <inheritdoc/>
    public IReadOnlyList<RepositoryModelEntry> List() =>
        [.. Models().OrderBy(model => model.Name, StringComparer.Ordinal).Select(model => Describe(model.Name, model.Application))];

    /// <inheritdoc/>
    public async Task LoadAsync(string name, CancellationToken cancellationToken)
    {
        var before = Require(name);
        var config = controller.FindConfig(before.Name) ?? throw RepositoryModelEntry.UnknownModel(name);
        await controller.DeployAsync(config with { ImportPath = source.FindSource(config.ImportPath) }, cancellationToken);
        await controller.LoadAsync(new(before.Name, before.Ingress!), cancellationToken);
        while (true)
        {
            var now = Require(name);
            if (now.Status is ApplicationStatus.Running && (Replicas(now) > 0 || Deployment(now) is { TargetNumReplicas: 0 }))
                return;
            if (now.Status is ApplicationStatus.DeployFailed)
                throw new BadInputException($"The model '{name}' could not be loaded: {Why(now)}");
            await Task.Delay(PollInterval, time, cancellationToken);
        }
    }

    /// <inheritdoc/>
    public async Task UnloadAsync(string name, CancellationToken cancellationToken)
    {
        var before = Require(name);
        await controller.UnloadAsync(new(before.Name, before.Ingress!), cancellationToken);
        while (Deployment(Require(name)) is { Replicas.Count: > 0 })
            await Task.Delay(PollInterval, time, cancellationToken);
    }

    private static RepositoryModelEntry Describe(string name, ApplicationDetails application) => application switch
    {
        { Status: ApplicationStatus.Deleting } => new(name, RepositoryModelState.Unloading, "deleted", application.Name),
        _ when IsUnloaded(application) => Replicas(application) > 0
            ? new(name, RepositoryModelState.Unloading, RepositoryModelEntry.Unloaded, application.Name)
            : new(name, RepositoryModelState.Unavailable, RepositoryModelEntry.Unloaded, application.Name),
        // Also during a rollout: the previous revision keeps running.
        _ when Replicas(application) > 0 || Deployment(application) is { TargetNumReplicas: 0 } => new(name, RepositoryModelState.Ready, "", application.Name),
        { Status: ApplicationStatus.DeployFailed } => new(name, RepositoryModelState.Unavailable, Why(application), application.Name),
        _ => new(name, RepositoryModelState.Loading, application.Message, application.Name),
    };

    private IEnumerable<(string Name, ApplicationDetails Application)> Models() => controller.GetDetails().Applications.Values
        .Where(application => application.RoutePrefix?.StartsWith(ApplicationPackage.ModelPrefix, StringComparison.Ordinal) is true)
        .Select(application => (application.RoutePrefix![ApplicationPackage.ModelPrefix.Length..], application));

    private ApplicationDetails Require(string name)
    {
        foreach (var (model, application) in Models())
        {
            if (model == name && application.Status is not ApplicationStatus.Deleting)
                return application;
        }

        throw RepositoryModelEntry.UnknownModel(name);
    }

    private static DeploymentDetails? Deployment(ApplicationDetails application) =>
        application.Ingress is { } ingress ? application.Deployments.GetValueOrDefault(ingress) : null;

    // A model that has no replicas because there is no load is loaded by the next request.
    private static bool IsUnloaded(ApplicationDetails application) => Deployment(application) is { TargetNumReplicas: 0, AutoscalingDetail: null };

    private static int Replicas(ApplicationDetails application) =>
        Deployment(application)?.Replicas.Count(replica => replica.State is ReplicaState.Running or ReplicaState.Updating) ?? 0;

    private static string Why(ApplicationDetails application) => Deployment(application) is { Message.Length: > 0 } deployment ? deployment.Message : application.Message;
}
