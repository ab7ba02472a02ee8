using Serve.Controller.Applications;
using Serve.Replica.Activation;
using Serve.Replica.Loading;
using Serve.Replicas;
using Serve.Specs;

namespace Serve.Cli.Hosting;

/// <summary>Creates autoscaling policies from the packages of this node.</summary>
/// <param name="assemblies">Packages that are loaded in this process.</param>
/// <param name="folders">Folders of the node.</param>
internal sealed class PackageAutoscalingPolicyLoader(UserAssemblyCache assemblies, ReplicaFolders folders) : IAutoscalingPolicyLoader
{
    /// <inheritdoc/>
    public LoadedAutoscalingPolicy Load(ApplicationPackage package, AutoscalingPolicySpec policy)
    {
        var file = package.AssemblyFile ?? throw new DefinitionException("A model has no code, and therefore no autoscaling policy of its own.");
        var code = assemblies.Acquire(package.Hash, Path.Combine(folders.PackageOf(package.Hash), file));
        try
        {
            return new(UserPolicyFactory.Create(code, policy.PolicyClass, policy.PolicyKwargs), code);
        }
        catch
        {
            code.Dispose();
            throw;
        }
    }
}
