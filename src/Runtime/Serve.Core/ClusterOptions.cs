using System.Collections.Immutable;
using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Serve;

/// <summary>Options of a cluster. Every option has a default.</summary>
public sealed record ClusterOptions
{
    // Null if empty, and not an immutable array: only programs that set these options load System.Collections.Immutable.
    private readonly ImmutableDictionary<string, double>? _resources;
    private readonly ValueSerializer[]? _serializers;

    /// <summary>CPU slots for tasks and actors; used for scheduling, not a limit on threads. Default: the number of processors.</summary>
    public double? NumCpus { get; init; }

    /// <summary>GPU slots. Default: the NVIDIA devices visible to this process (<c>CUDA_VISIBLE_DEVICES</c>).</summary>
    public double? NumGpus { get; init; }

    /// <summary>Bytes of memory that tasks and actors can reserve. Default: the memory of the machine or container.</summary>
    public long? Memory { get; init; }

    /// <summary>Custom resources by name. Default: none.</summary>
    public ImmutableDictionary<string, double> Resources
    {
        get => _resources ?? ImmutableDictionary<string, double>.Empty;
        init => (_resources, HasResources) = value is { Count: > 0 } ? (value, true) : (null, false);
    }

    /// <summary>Gets whether there are custom resources, without loading System.Collections.Immutable.</summary>
    [EditorBrowsable(EditorBrowsableState.Never)]
    public bool HasResources { get; private init; }

    /// <summary>Default isolation of tasks and actors. Default <see cref="Isolation.None"/>: threads of this process.</summary>
    public Isolation Isolation { get; init; } = Isolation.None;

    /// <summary>Bytes of shared memory for objects. Above it, the oldest objects that no process maps are spilled to <see cref="SpillDirectory"/>. Default: 30 % of the machine's memory.</summary>
    public long? ObjectStoreMemory { get; init; }

    /// <summary>Folder for spilled objects; created when first needed and emptied on disposal. Default: a folder in the system's temporary folder.</summary>
    public string? SpillDirectory { get; init; }

    /// <summary>Custom serializers for values sent to other processes; they take precedence, also inside other values. Each must have a public parameterless constructor, because workers create their own instances. Default: none.</summary>
    public ImmutableArray<ValueSerializer> Serializers
    {
        get => _serializers is null ? [] : ImmutableCollectionsMarshal.AsImmutableArray(_serializers);
        init => _serializers = value.IsDefaultOrEmpty ? null : ImmutableCollectionsMarshal.AsArray(value);
    }

    /// <summary>Fraction of the machine's memory in use at which the newest retriable task in a worker is stopped. Default 0.95; 1 or more disables the check.</summary>
    public double MemoryUsageThreshold { get; init; } = 0.95;

    /// <summary>Command line of worker processes: the executable, then its arguments. Default: this program, which the runtime takes over before its <c>Main</c> runs.</summary>
    public IReadOnlyList<string>? WorkerCommand { get; init; }

    /// <summary>Folder for worker logs. Default: a folder in the system's temporary folder, removed on disposal.</summary>
    public string? WorkerLogDirectory { get; init; }

    /// <summary>Whether the console output of tasks in workers also appears on this process's console, as <c>(Demo.GenerateData pid=1234) line</c>. The worker's log contains it in any case. Default true.</summary>
    public bool LogToDriver { get; init; } = true;

    /// <summary>
    /// How long the code of a canceled or timed-out task may ignore its cancellation token in a worker before the worker is killed. Code in threads of this process cannot be stopped; it is
    /// only reported. Default: 30 s; <see cref="Timeout.InfiniteTimeSpan"/> waits indefinitely.
    /// </summary>
    public TimeSpan CancellationGracePeriod { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Number of workers to start immediately rather than on demand. Default 0.</summary>
    public int PrestartWorkers { get; init; }

    /// <summary>Number of completed tasks that <see cref="Cluster.ListTasks"/> and the timeline keep. Default 10,000.</summary>
    public int TaskHistory { get; init; } = 10_000;

    /// <summary>Whether <c>serve list</c>, <c>summary</c>, <c>memory</c> and <c>timeline</c> can inspect this cluster from another process. Default true.</summary>
    public bool Observable { get; init; } = true;

    /// <summary>Whether the program has a dashboard, which requires the package <c>Serve.Dashboard.Programs</c>; <see cref="Cluster.DashboardUrl"/> is its address. Default false.</summary>
    public bool Dashboard { get; init; }

    /// <summary>Address that the dashboard listens on. Default <c>127.0.0.1</c>.</summary>
    public string DashboardHost { get; init; } = "127.0.0.1";

    /// <summary>Port of the dashboard; 0 selects a free one. Default: 8265, or the next free port after it.</summary>
    public int? DashboardPort { get; init; }

    /// <summary>
    /// Whether calls are checked, for tests and debugging: calls in this process fail with <see cref="NotSerializableException"/> if an argument, result or value of <see cref="Cluster.Put"/> could
    /// not be sent to a worker process, and a call in either isolation fails with <see cref="InvalidOperationException"/> if it wrote to an array in its arguments. Slow. Default: false.
    /// </summary>
    public bool CheckValues { get; init; }

    /// <summary>Whether tasks and actor calls that wait for each other in a cycle fail with a <see cref="DeadlockException"/>. Default: true.</summary>
    public bool DetectDeadlocks { get; init; } = true;
}
