namespace Serve.Inference.Models;

/// <summary>Which models there are, loaded or not, and how they are loaded and unloaded: what the gateway is told and asks for. Owned here, implemented where the controller is known.</summary>
public interface IModelRepository
{
    /// <summary>Every model: every application that answers at <c>/v2/models/NAME</c>.</summary>
    /// <returns>By name.</returns>
    IReadOnlyList<RepositoryModelEntry> List();

    /// <summary>Loads a model, or loads it again with what its files hold now; waits until it is up.</summary>
    /// <param name="name">The model's name.</param>
    /// <param name="cancellationToken">Gives up waiting; the load goes on.</param>
    /// <returns>Completes when it can be asked.</returns>
    /// <exception cref="NoSuchRouteException">There is none of that name.</exception>
    /// <exception cref="BadInputException">It cannot be loaded; says why.</exception>
    Task LoadAsync(string name, CancellationToken cancellationToken);

    /// <summary>Unloads a model: what is on it is finished, nothing new is taken.</summary>
    /// <param name="name">The model's name.</param>
    /// <param name="cancellationToken">Gives up waiting; the unload goes on.</param>
    /// <returns>Completes when it is no longer asked.</returns>
    /// <exception cref="NoSuchRouteException">There is none of that name.</exception>
    Task UnloadAsync(string name, CancellationToken cancellationToken);
}
