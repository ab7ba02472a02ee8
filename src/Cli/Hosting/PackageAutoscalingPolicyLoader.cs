using Serve.Controller.Applications;
using Serve.Replica.Activation;
using Serve.Replica.Loading;
using Serve.Specs;

namespace Serve.Cli.Hosting;

/// <summary>Creates autoscaling policies from the packages of this node.</summary>
/// <param name="classes">Loads classes of packages.</param>
internal sealed class PackageAutoscalingPolicyLoader(PackageClassLoader classes) : IAutoscalingPolicyLoader
{
    /// <inheritdoc/>
    public LoadedAutoscalingPolicy Load(ApplicationPackage package, AutoscalingPolicySpec policy) => classes.Load(
        package.Hash, package.AssemblyFile ?? throw new DefinitionException("A model has no code, and therefore no autoscaling policy of its own."),
        code => new LoadedAutoscalingPolicy(UserPolicyFactory.Create(code, policy.PolicyClass, policy.PolicyKwargs), code));
}
