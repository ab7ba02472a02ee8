using Serve.Controller.Packages;
using Serve.Inference.Models;
using Serve.Replica.Definitions;
using Serve.Specs;

namespace Serve.Cli.Hosting;

/// <summary>Inspects packages by reflection over their assemblies.</summary>
internal sealed class PackageInspector : IPackageInspector
{
    /// <inheritdoc/>
    public InspectedApplication InspectAssembly(string assemblyPath, string? typeName) => DeploymentInspector.Inspect(assemblyPath, typeName);

    /// <inheritdoc/>
    public InspectedApplication DescribeModel(string name) => ModelPackageDefinition.Of(name);
}
