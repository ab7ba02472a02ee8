namespace Serve.Inference.Models;

/// <summary>The repository of a gateway without a controller: it has no models.</summary>
internal sealed class EmptyModelRepository : IModelRepository
{
    public IReadOnlyList<RepositoryModelEntry> List() => [];

    public Task LoadAsync(string name, CancellationToken cancellationToken) => throw RepositoryModelEntry.UnknownModel(name);

    public Task UnloadAsync(string name, CancellationToken cancellationToken) => throw RepositoryModelEntry.UnknownModel(name);
}
