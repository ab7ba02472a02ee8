using Serve.Specs;

namespace Serve.Control;

/// <summary>One deployment of a revision: its settings, and the two hashes that decide whether replicas are replaced, told, or left alone.</summary>
public sealed record DeploymentRevision
{
    /// <summary>The settings, merged.</summary>
    public required DeploymentSpec Spec { get; init; }

    /// <summary>The class's full name.</summary>
    public required string TypeName { get; init; }

    /// <summary>How many replicas the settings asked for before anybody scaled; kept so that deploying the same again does not undo it.</summary>
    public required int ConfiguredReplicas { get; init; }

    /// <summary>Hash of all that a replica must restart for: code, arguments, isolation, settings of <see cref="UpdateImpact.Restart"/>.</summary>
    public required string Version { get; init; }

    /// <summary>Hash of what a running replica can be told: settings of <see cref="UpdateImpact.Reconfigure"/>.</summary>
    public required string Settings { get; init; }

    /// <summary>The same with another number of replicas.</summary>
    public DeploymentRevision ScaledTo(int replicas) => this with { Spec = Spec with { NumReplicas = replicas } };

    /// <summary>Whether replicas of one are replicas of the other without being told anything.</summary>
    public bool IsSameAs(DeploymentRevision other) => Version == other.Version && Settings == other.Settings;
}
