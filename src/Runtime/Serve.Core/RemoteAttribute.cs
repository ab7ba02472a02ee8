namespace Serve;

/// <summary>
/// Marks a static method as a remote function, or a class as an actor. The source generator adds a typed caller of the same name to
/// <see cref="Cluster"/>: <c>ray.Demo.GenerateData.Remote()</c> and <c>ray.Counter.Remote()</c>. The settings are defaults that <c>.Options(…)</c> at a call overrides.
/// </summary>
[AttributeUsage(AttributeTargets.Method | AttributeTargets.Class, Inherited = false)]
public sealed class RemoteAttribute : Attribute
{
    /// <summary>CPUs held while the task or actor runs, in steps of 0.0001. Negative: the default, 1 for a task and 0 for an actor.</summary>
    public double NumCpus { get; set; } = -1;

    /// <summary>GPUs held: a fraction below 1 shares a device; values above 1 must be whole. Default 0.</summary>
    public double NumGpus { get; set; }

    /// <summary>Bytes of memory to reserve. A reservation for scheduling, not a limit. Default 0.</summary>
    public long Memory { get; set; }

    /// <summary>Custom resources as <c>"tpu=1, disk=0.5"</c>. Default: none.</summary>
    public string? Resources { get; set; }

    /// <summary>Where the task or actor runs. Default: the cluster's isolation.</summary>
    public Isolation Isolation { get; set; }

    /// <summary>Maximum retries of a task whose worker died or whose result was lost; -1 for no limit. Default 3. Exceptions of the task itself are retried only if <see cref="RetryOn"/> lists them.</summary>
    public int MaxRetries { get; set; } = 3;

    /// <summary>Exception types (including derived ones) for which a task or an actor call is retried, within <see cref="MaxRetries"/> or <see cref="MaxTaskRetries"/>. Default: none.</summary>
    public Type[] RetryOn { get; set; } = [];

    /// <summary>Maximum run time of a task in seconds, after which it is canceled and fails with <see cref="RequestTimeoutException"/>; 0 for no limit. Default 0.</summary>
    public double TimeoutSeconds { get; set; }

    /// <summary>Actors: maximum restarts after the worker process died; -1 for no limit. Default 0.</summary>
    public int MaxRestarts { get; set; }

    /// <summary>Actors: maximum retries of a call during which the actor died; -1 for no limit. Default 0.</summary>
    public int MaxTaskRetries { get; set; }

    /// <summary>Actors: maximum number of pending calls; further calls fail with <see cref="PendingCallsLimitException"/>. -1 for no limit. Default -1.</summary>
    public int MaxPendingCalls { get; set; } = -1;

    /// <summary>Actors: maximum number of concurrent calls. 0: the default, 1 thread for turn-based actors and 1000 for parallel ones.</summary>
    public int MaxConcurrency { get; set; }

    /// <summary>Actors: whether calls are turn-based or run in parallel. Default: turn-based.</summary>
    public ConcurrencyMode Concurrency { get; set; }

    /// <summary>Actors: concurrency groups with limits of their own, as <c>"io=2, compute=4"</c>; <see cref="ConcurrencyGroupAttribute"/> assigns a method to one. Default: none.</summary>
    public string? ConcurrencyGroups { get; set; }
}

/// <summary>Assigns an actor's method to one of the groups in <see cref="RemoteAttribute.ConcurrencyGroups"/>, whose calls are limited, ordered and run separately from those of other groups.</summary>
/// <param name="name">The group.</param>
[AttributeUsage(AttributeTargets.Method)]
public sealed class ConcurrencyGroupAttribute(string name) : Attribute
{
    /// <summary>Gets the group's name.</summary>
    public string Name => name;
}

/// <summary>
/// Marks a method that blocks its thread: native code, <c>Thread.Sleep</c>, synchronous I/O. It runs on a dedicated thread, so that the thread pool
/// does not starve. In a turn-based class it is still the only running turn.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class BlockingAttribute : Attribute;

/// <summary>How the methods of one instance may overlap.</summary>
public enum ConcurrencyMode
{
    /// <summary>One turn of user code at a time; calls interleave at awaits, as on Python's event loop or in an Orleans grain. Fields need no lock. The default.</summary>
    TurnBased,

    /// <summary>Calls run in parallel on the thread pool. For thread-safe classes.</summary>
    Parallel,
}

/// <summary>Where a task or an actor runs. The results are the same in both cases.</summary>
public enum Isolation
{
    /// <summary>The setting of the next wider scope: call, attribute, cluster. The default of a cluster is <see cref="None"/>.</summary>
    Default,

    /// <summary>A thread of this process. Arguments and results are passed by reference; treat them as immutable.</summary>
    None,

    /// <summary>A worker process, which contains crashes and excessive allocations.</summary>
    Process,
}
