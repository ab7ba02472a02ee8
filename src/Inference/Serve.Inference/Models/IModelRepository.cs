namespace Serve.Inference.Models;

/// <summary>The models of a node, loaded or not. Implemented over the controller.</summary>
public interface IModelRepository
{
    /// <summary>Gets whether load balancers may send requests to this node: not until the models of an earlier run have been restored, and not while it drains. Default true.</summary>
    bool IsServing => true;

    /// <summary>Lists the models: the applications with a route prefix <c>/v2/models/NAME</c>.</summary>
    /// <returns>The models, ordered by name.</returns>
    IReadOnlyList<RepositoryModelEntry> List();

    /// <summary>Loads a model, or reloads it with the current content of its files, and waits until it is ready.</summary>
    /// <param name="name">The model's name.</param>
    /// <param name="cancellationToken">Ends the wait; the load continues.</param>
    /// <returns>Completes when the model is ready.</returns>
    /// <exception cref="NoSuchRouteException">The model does not exist.</exception>
    /// <exception cref="BadInputException">The model cannot be loaded.</exception>
    Task LoadAsync(string name, CancellationToken cancellationToken);

    /// <summary>Unloads a model after its ongoing requests.</summary>
    /// <param name="name">The model's name.</param>
    /// <param name="cancellationToken">Ends the wait; the unload continues.</param>
    /// <returns>Completes when the model has no replicas.</returns>
    /// <exception cref="NoSuchRouteException">The model does not exist.</exception>
    Task UnloadAsync(string name, CancellationToken cancellationToken);
}

/// <summary>A model of the node.</summary>
/// <param name="Name">Name of the model.</param>
/// <param name="State">State of the model.</param>
/// <param name="Reason">Reason of the state; may be empty.</param>
/// <param name="Application">The application that serves it.</param>
public sealed record RepositoryModelEntry(string Name, RepositoryModelState State, string Reason, string Application)
{
    /// <summary>Reason of an unloaded model, as in Triton.</summary>
    public const string Unloaded = "unloaded";

    /// <summary>Creates the error of an unknown model.</summary>
    /// <param name="name">The requested name.</param>
    /// <returns>The exception.</returns>
    public static NoSuchRouteException UnknownModel(string name) => new($"Unknown model '{name}'. POST /v2/repository/index lists the models.");
}

/// <summary>State of a model, as in Triton's model repository.</summary>
public enum RepositoryModelState
{
    /// <summary>Unloaded, or failed to load.</summary>
    Unavailable,

    /// <summary>Loading for the first time, or after it was unloaded.</summary>
    Loading,

    /// <summary>Unloading.</summary>
    Unloading,

    /// <summary>Ready for requests.</summary>
    Ready,
}

/// <summary>The repository of a gateway without a controller: it has no models.</summary>
internal sealed class EmptyModelRepository : IModelRepository
{
    public IReadOnlyList<RepositoryModelEntry> List() => [];

    public Task LoadAsync(string name, CancellationToken cancellationToken) => throw RepositoryModelEntry.UnknownModel(name);

    public Task UnloadAsync(string name, CancellationToken cancellationToken) => throw RepositoryModelEntry.UnknownModel(name);
}
