using System.Collections.Immutable;

namespace Serve.Specs;

/// <summary>What inspecting a deployment class found out, without running any of its code.</summary>
public sealed record DeploymentDefinition
{
    /// <summary>What the attribute sets, the name always among it.</summary>
    public required DeploymentOptions Options { get; init; }

    /// <summary>The class's full name within <see cref="ApplicationPackage.AssemblyFile"/>.</summary>
    public required string TypeName { get; init; }

    /// <summary>Names of the deployments whose handles the constructor takes.</summary>
    public ImmutableArray<string> Dependencies { get; init; } = [];
}
