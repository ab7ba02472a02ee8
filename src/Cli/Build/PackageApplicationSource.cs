using Serve.Controller;
using Serve.Replica.Definitions;
using Serve.Inference.Models;
using Serve.Specs;

namespace Serve.Cli.Build;

/// <summary>Where the controller gets an application's code from: builds it, packs it, and finds out what it declares.</summary>
/// <param name="builder">Makes packages.</param>
/// <param name="store">Holds them.</param>
internal sealed class PackageApplicationSource(ApplicationPackageBuilder builder, ApplicationPackageStore store) : IApplicationSource
{
    /// <summary>Prepares an application's code.</summary>
    /// <param name="importPath">What to deploy; relative paths are looked for in the working directory.</param>
    /// <param name="cancellationToken">Ends a build that runs.</param>
    /// <returns>The package and what was found in it.</returns>
    /// <exception cref="DefinitionException">It does not build or is not deployable; every error is listed.</exception>
    public async Task<ApplicationPackage> PrepareAsync(string importPath, CancellationToken cancellationToken)
    {
        var path = ImportPath.Resolve(importPath);
        // Building, hashing and loading are synchronous work of some 100 ms: not on the caller's thread.
        return await Task.Run(async () =>
        {
            var hash = await builder.BuildAsync(path, cancellationToken);
            var manifest = store.ReadManifest(hash);
            var folder = store.FolderOf(hash);
            var inspected = manifest.AssemblyFile is { } file
                ? DeploymentInspector.Inspect(Path.Combine(folder, file), path.TypeName ?? manifest.TypeName)
                : ModelPackageDefinition.Of(manifest.Name);
            return new ApplicationPackage
            {
                Hash = hash,
                Directory = folder,
                AssemblyFile = manifest.AssemblyFile,
                Deployments = inspected.Deployments,
                Ingress = inspected.Ingress,
            };
        }, cancellationToken);
    }
}
