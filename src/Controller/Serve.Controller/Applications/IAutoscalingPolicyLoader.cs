using Serve.Specs;

namespace Serve.Controller.Applications;

/// <summary>Creates the autoscaling policies of users from their packages.</summary>
public interface IAutoscalingPolicyLoader
{
    /// <summary>Creates a policy.</summary>
    /// <param name="package">The package that contains the class.</param>
    /// <param name="policy">Class and arguments.</param>
    /// <exception cref="DefinitionException">The class does not exist or cannot be constructed.</exception>
    LoadedAutoscalingPolicy Load(ApplicationPackage package, AutoscalingPolicySpec policy);
}

/// <summary>A policy object, and the lease on its package, which is disposed after its last call.</summary>
public sealed record LoadedAutoscalingPolicy(object Policy, IDisposable Lease);
