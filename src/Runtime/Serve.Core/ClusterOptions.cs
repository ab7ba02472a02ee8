using System.Collections.Immutable;
using System.Runtime.InteropServices;

namespace Serve;

/// <summary>What a cluster has to give, and how it behaves. Every value has a default; the comments say which.</summary>
public sealed record ClusterOptions
{
    // Null when empty, and no immutable array: their library is only loaded by programs that set them.
    private readonly ImmutableDictionary<string, double>? _resources;
    private readonly ValueSerializer[]? _serializers;

    /// <summary>CPU slots for tasks and actors; a number to account with, not a limit on threads. Default: the machine's processors.</summary>
    public double? NumCpus { get; init; }

    /// <summary>GPU slots. Default: the NVIDIA devices that <c>CUDA_VISIBLE_DEVICES</c> leaves to this process, all where it is not set.</summary>
    public double? NumGpus { get; init; }

    /// <summary>Bytes of memory that tasks and actors may reserve. Default: the machine's, or the container's.</summary>
    public long? Memory { get; init; }

    /// <summary>Custom resources by name. Default none.</summary>
    public ImmutableDictionary<string, double> Resources
    {
        get => _resources ?? ImmutableDictionary<string, double>.Empty;
        init => (_resources, HasResources) = value is { Count: > 0 } ? (value, true) : (null, false);
    }

    /// <summary>Whether there are custom resources. Told apart from the field, since code that reads that has its library loaded.</summary>
    internal bool HasResources { get; private init; }

    /// <summary>Where tasks and actors run that do not say. Default <see cref="Isolation.None"/>: threads of this process.</summary>
    public Isolation Isolation { get; init; } = Isolation.None;

    /// <summary>Bytes of shared memory for objects; above it the oldest that nobody maps go to <see cref="SpillDirectory"/>. Default: 30 % of the machine's memory.</summary>
    public long? ObjectStoreMemory { get; init; }

    /// <summary>Where objects go that do not fit into memory; made when first needed, emptied at the end. Default: a folder of the system's temporary one.</summary>
    public string? SpillDirectory { get; init; }

    /// <summary>How values of types of yours are written for other processes; asked before MemoryPack and JSON. Each needs a public constructor that takes nothing, since workers make their own. Default none.</summary>
    public ImmutableArray<ValueSerializer> Serializers
    {
        get => _serializers is null ? [] : ImmutableCollectionsMarshal.AsImmutableArray(_serializers);
        init => _serializers = value.IsDefaultOrEmpty ? null : ImmutableCollectionsMarshal.AsArray(value);
    }

    /// <summary>The share of the machine's memory at which the newest retriable task in a worker is stopped. Default 0.95; 1 or more switches it off.</summary>
    public double MemoryUsageThreshold { get; init; } = 0.95;

    /// <summary>How a worker process is started: the executable, then its arguments. Default: this program again, taken over before its <c>Main</c> runs.</summary>
    public IReadOnlyList<string>? WorkerCommand { get; init; }

    /// <summary>Where workers' output goes. Default: a folder of the system's temporary one, removed at the end.</summary>
    public string? WorkerLogDirectory { get; init; }

    /// <summary>Whether lines that tasks in workers write to the console appear on this process's console too, as <c>(Demo.GenerateData pid=1234) line</c>. They are in the worker's log either way. Default true.</summary>
    public bool LogToDriver { get; init; } = true;

    /// <summary>Workers that are started at once rather than with the first task that needs one. Default 0.</summary>
    public int PrestartWorkers { get; init; }

    /// <summary>How many ended tasks <see cref="Cluster.ListTasks"/> and the timeline remember. Default 10,000.</summary>
    public int TaskHistory { get; init; } = 10_000;

    /// <summary>Whether <c>serve list</c>, <c>summary</c>, <c>memory</c> and <c>timeline</c> in another terminal may look at this cluster. Default true.</summary>
    public bool Observable { get; init; } = true;

    /// <summary>Whether tasks and actor calls that wait for each other in a cycle fail with a <see cref="DeadlockException"/>. Default: true.</summary>
    public bool DetectDeadlocks { get; init; } = true;
}
