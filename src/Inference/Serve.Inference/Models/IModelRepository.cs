namespace Serve.Inference.Models;

/// <summary>The models of a node, loaded or not. Implemented over the controller.</summary>
public interface IModelRepository
{
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
