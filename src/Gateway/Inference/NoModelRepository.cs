namespace Serve.Gateway.Inference;

/// <summary>A node without a controller beside its gateway: nobody can load or unload.</summary>
internal sealed class NoModelRepository : IModelRepository
{
    public IReadOnlyList<RepositoryModel> List() => [];

    public Task LoadAsync(string name, CancellationToken cancellationToken) => throw RepositoryModel.Unknown(name);

    public Task UnloadAsync(string name, CancellationToken cancellationToken) => throw RepositoryModel.Unknown(name);
}
