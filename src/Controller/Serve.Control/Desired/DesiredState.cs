using System.Collections.Immutable;

namespace Serve.Control.Desired;

/// <summary>Desired state of the cluster. Written by the control loop alone from the operators' requests; survives restarts.</summary>
public sealed record DesiredState
{
    /// <summary>No applications.</summary>
    public static DesiredState Empty { get; } = new();

    /// <summary>The applications by name, including those being deleted.</summary>
    public ImmutableSortedDictionary<string, DesiredApplication> Applications { get; init; } =
        ImmutableSortedDictionary.Create<string, DesiredApplication>(StringComparer.Ordinal);

    /// <summary>Whether everything is drained because the node shuts down. Not persisted: the next start restores all applications.</summary>
    public bool IsStopping { get; init; }

    /// <summary>Percent of the replicas that run; null for all. Part of each application, and the same for all.</summary>
    public double? TargetCapacity => Applications.Values.FirstOrDefault(application => !application.IsDeleting)?.TargetCapacity;

    /// <summary>Returns this state with an application added or replaced.</summary>
    public DesiredState With(DesiredApplication application) =>
        this with { Applications = Applications.SetItem(application.Name, application) };

    /// <summary>Returns this state without an application.</summary>
    public DesiredState Without(string application) => this with { Applications = Applications.Remove(application) };
}
