namespace Serve;

/// <summary>Resources that were reserved together, all or none, for tasks and actors that are to run side by side. Disposing it frees them and ends what runs in it.</summary>
public abstract class PlacementGroup : IAsyncDisposable
{
    private protected PlacementGroup()
    {
    }

    /// <summary>The group's id.</summary>
    public abstract string Id { get; }

    /// <summary>Its name; null when it has none.</summary>
    public abstract string? Name { get; }

    /// <summary>How its bundles lie on nodes.</summary>
    public abstract PlacementStrategy Strategy { get; }

    /// <summary>What each bundle holds.</summary>
    public abstract IReadOnlyList<Bundle> Bundles { get; }

    /// <summary>Completes when every bundle is reserved; a task that asks for it lends its CPU meanwhile.</summary>
    public abstract Task Ready { get; }

    /// <summary>A strategy for tasks and actors that are to run in the group.</summary>
    /// <param name="index">Which bundle; -1 for any.</param>
    /// <param name="captureChildTasks">Whether what is started from inside runs in the group too.</param>
    /// <returns>The strategy.</returns>
    public SchedulingStrategy Bundle(int index = -1, bool captureChildTasks = false) => new SchedulingStrategy.InGroup(this, index, captureChildTasks);

    /// <inheritdoc/>
    public abstract ValueTask DisposeAsync();
}
