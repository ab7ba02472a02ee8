namespace Serve.Inference.Models;

/// <summary>A node without a controller beside its gateway: nobody can load or unload.</summary>
internal sealed class EmptyModelRepository : IModelRepository
{
    public IReadOnlyList<RepositoryModelEntry> List() => [];

    public Task LoadAsync(string name, CancellationToken cancellationToken) => throw RepositoryModelEntry.UnknownModel(name);

    public Task UnloadAsync(string name, CancellationToken cancellationToken) => throw RepositoryModelEntry.UnknownModel(name);
}
