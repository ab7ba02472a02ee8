using System.Collections.Immutable;

namespace Serve.Control;

/// <summary>What is wanted of the node. Written by the control loop alone, from what operators ask for; survives restarts.</summary>
public sealed record DesiredState
{
    /// <summary>Nothing wanted.</summary>
    public static DesiredState Empty { get; } = new();

    /// <summary>The applications by name, those being deleted among them.</summary>
    public ImmutableSortedDictionary<string, DesiredApplication> Applications { get; init; } =
        ImmutableSortedDictionary.Create<string, DesiredApplication>(StringComparer.Ordinal);

    /// <summary>Whether the node is going down: everything is drained, nothing is forgotten.</summary>
    public bool IsStopping { get; init; }

    /// <summary>This state with one application added or replaced.</summary>
    public DesiredState With(DesiredApplication application) =>
        this with { Applications = Applications.SetItem(application.Name, application) };

    /// <summary>This state without an application.</summary>
    public DesiredState Without(string application) => this with { Applications = Applications.Remove(application) };
}
