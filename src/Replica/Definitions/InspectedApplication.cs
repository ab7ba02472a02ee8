using System.Collections.Immutable;
using Serve.Specs;

namespace Serve.Replica.Definitions;

/// <summary>What an assembly declares: its deployments, and the one that answers HTTP.</summary>
/// <param name="Deployments">In the order of their names.</param>
/// <param name="Ingress">The name of the one that no other takes a handle to, or that was asked for.</param>
public sealed record InspectedApplication(ImmutableArray<DeploymentDefinition> Deployments, string Ingress);
