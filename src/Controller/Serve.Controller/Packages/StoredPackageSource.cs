using Serve.Controller.Store;
using Serve.Nodes;

namespace Serve.Controller.Packages;

/// <summary>Package source of the node that the controller runs on: its packages are already in the state directory.</summary>
internal sealed class StoredPackageSource(NodeStateDirectory directory) : INodePackageSource
{
    /// <inheritdoc/>
    public Task FetchAsync(string hash, CancellationToken cancellationToken) => Directory.Exists(directory.Replicas.PackageOf(hash))
        ? Task.CompletedTask
        : Task.FromException(new DirectoryNotFoundException($"The package {hash} is not in {directory.Packages}. Deploy the application again."));

    /// <inheritdoc/>
    public IEnumerable<string> FindFiles(string hash) => Directory.Exists(directory.Replicas.PackageOf(hash))
        ? Directory.EnumerateFiles(directory.Replicas.PackageOf(hash), "*", SearchOption.AllDirectories)
        : [];
}
