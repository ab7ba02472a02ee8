using System.Collections.Immutable;

namespace Serve.Specs;

/// <summary>A deployment class, as found by inspection without running its code.</summary>
public sealed record DeploymentDefinition
{
    /// <summary>Options set by the attribute, and the name.</summary>
    public required DeploymentOptions Options { get; init; }

    /// <summary>Full name of the class within <see cref="ApplicationPackage.AssemblyFile"/>.</summary>
    public required string TypeName { get; init; }

    /// <summary>Names of the deployments whose handles the constructor accepts.</summary>
    public ImmutableArray<string> Dependencies { get; init; } = [];
}

/// <summary>Deployments that an assembly or a model declares.</summary>
/// <param name="Deployments">The deployments, ordered by name.</param>
/// <param name="Ingress">Name of the deployment that serves HTTP: the requested one, or the one that no other depends on.</param>
public sealed record InspectedApplication(ImmutableArray<DeploymentDefinition> Deployments, string Ingress)
{
    /// <summary>Full names of the classes that are routing policies.</summary>
    public ImmutableArray<string> PickerClasses { get; init; } = [];
}
