using System.Collections.Immutable;

namespace Serve;

/// <summary>A group of resource bundles that are reserved atomically, for tasks and actors that run together. Disposing it releases the bundles and cancels everything that runs in them.</summary>
public abstract class PlacementGroup : IAsyncDisposable
{
    /// <summary>Gets the group's id.</summary>
    public abstract string Id { get; }

    /// <summary>Gets the group's name; null if it has none.</summary>
    public abstract string? Name { get; }

    /// <summary>Gets how the bundles are placed across nodes.</summary>
    public abstract PlacementStrategy Strategy { get; }

    /// <summary>Gets the resources of each bundle.</summary>
    public abstract IReadOnlyList<Bundle> Bundles { get; }

    /// <summary>
    /// Gets a task that completes when all bundles are reserved. A task that awaits it releases its CPU while it waits. Fails with <see cref="DeadlockException"/> if the
    /// reservation can never succeed.
    /// </summary>
    public abstract Task Ready { get; }

    /// <summary>Returns a scheduling strategy for tasks and actors that run in the group.</summary>
    /// <param name="index">The bundle; -1 for any.</param>
    /// <param name="captureChildTasks">Whether tasks and actors started from inside run in the group too.</param>
    /// <returns>The strategy.</returns>
    public SchedulingStrategy Bundle(int index = -1, bool captureChildTasks = false) => new SchedulingStrategy.InGroup(this, index, captureChildTasks);

    /// <inheritdoc/>
    public abstract ValueTask DisposeAsync();
}

/// <summary>The resources of one bundle of a placement group, on a single node.</summary>
public sealed record Bundle
{
    /// <summary>CPUs. Default 0.</summary>
    public double Cpus { get; init; }

    /// <summary>GPUs. Default 0.</summary>
    public double Gpus { get; init; }

    /// <summary>Bytes of memory. Default 0.</summary>
    public long Memory { get; init; }

    /// <summary>Custom resources by name. Default: none.</summary>
    public ImmutableDictionary<string, double> Resources { get; init; } = ImmutableDictionary<string, double>.Empty;
}

/// <summary>How the bundles of a placement group are placed across nodes. With a single node, PACK and STRICT_PACK are equivalent.</summary>
public enum PlacementStrategy
{
    /// <summary>On as few nodes as possible.</summary>
    Pack,

    /// <summary>On as many nodes as possible.</summary>
    Spread,

    /// <summary>All on one node, or not at all.</summary>
    StrictPack,

    /// <summary>Each on a different node, or not at all.</summary>
    StrictSpread,
}
