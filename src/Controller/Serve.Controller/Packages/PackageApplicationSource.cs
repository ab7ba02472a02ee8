using Serve.Controller.Applications;
using Serve.Controller.Builds;
using Serve.Specs;

namespace Serve.Controller.Packages;

/// <summary>Reads the deployments of a package. Implemented outside of the controller, which does not load user code.</summary>
public interface IPackageInspector
{
    /// <summary>Reads the deployments that an assembly declares, without running its code.</summary>
    /// <param name="assemblyPath">The assembly; its <c>.deps.json</c> is in the same folder.</param>
    /// <param name="typeName">Ingress class; null to infer it.</param>
    /// <exception cref="DefinitionException">The assembly declares no valid application; lists every error.</exception>
    InspectedApplication InspectAssembly(string assemblyPath, string? typeName);

    /// <summary>Describes the built-in deployment that serves an ONNX model.</summary>
    /// <param name="name">Name of the deployment.</param>
    InspectedApplication DescribeModel(string name);
}

/// <summary>Application source of a node: builds and stores packages, and inspects them.</summary>
/// <param name="builder">Builds packages.</param>
/// <param name="store">Stores packages.</param>
/// <param name="inspector">Reads the deployments of a package.</param>
public sealed class PackageApplicationSource(ApplicationPackageBuilder builder, ApplicationPackageStore store, IPackageInspector inspector) : IApplicationSource
{
    /// <inheritdoc/>
    public async Task<ApplicationPackage> PrepareAsync(string importPath, CancellationToken cancellationToken)
    {
        var path = ImportPath.Resolve(importPath);
        // Hashing and inspection are synchronous work of about 100 ms and must not block the caller's thread.
        return await Task.Run(async () =>
        {
            var hash = await builder.BuildAsync(path, cancellationToken);
            var manifest = store.ReadManifest(hash);
            var folder = store.FolderOf(hash);
            var inspected = manifest.AssemblyFile is { } file
                ? inspector.InspectAssembly(Path.Combine(folder, file), path.TypeName ?? manifest.TypeName)
                : inspector.DescribeModel(manifest.Name);
            if (path.Kind is not (ImportPathKind.Package or ImportPathKind.Archive))
                store.RecordSource(hash, path.ToString());
            return new ApplicationPackage
            {
                Hash = hash,
                ImportPath = new ImportPath(ImportPathKind.Package, hash, path.TypeName).ToString(),
                Directory = folder,
                AssemblyFile = manifest.AssemblyFile,
                Deployments = inspected.Deployments,
                Ingress = inspected.Ingress,
                PickerClasses = inspected.PickerClasses,
            };
        }, cancellationToken);
    }

    /// <inheritdoc/>
    public string FindSource(string importPath) => ImportPath.TryParsePackage(importPath) is { } package && store.ReadSource(package.Location) is { } source ? source : importPath;

    /// <inheritdoc/>
    public int DeleteUnused(IReadOnlySet<string> used, DateTimeOffset before) => store.DeleteUnused(used, before);
}
