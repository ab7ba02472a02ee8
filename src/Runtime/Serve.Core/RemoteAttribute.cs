namespace Serve;

/// <summary>
/// Marks a static method as a task, or a class as an actor: the source generator then gives <see cref="Cluster"/> a typed caller of the
/// same name, <c>ray.Demo.GenerateData.Remote()</c> and <c>ray.Counter.Remote()</c>. What is set here is the default of every call;
/// <c>.Options(…)</c> at the call comes first.
/// </summary>
[AttributeUsage(AttributeTargets.Method | AttributeTargets.Class, Inherited = false)]
public sealed class RemoteAttribute : Attribute
{
    /// <summary>CPUs it holds while it runs; below 0 for the default: 1 for a task, 0 for an actor. Fractions to 0.0001.</summary>
    public double NumCpus { get; set; } = -1;

    /// <summary>GPUs it holds; fractions below 1 share a device, above 1 they are whole. Default 0.</summary>
    public double NumGpus { get; set; }

    /// <summary>Bytes of memory it reserves in the ledger. Default 0. It is a reservation, not a limit.</summary>
    public long Memory { get; set; }

    /// <summary>Custom resources as <c>"tpu=1, disk=0.5"</c>. Default none.</summary>
    public string? Resources { get; set; }

    /// <summary>Where it runs. Default: as the cluster says.</summary>
    public Isolation Isolation { get; set; }

    /// <summary>How often a task is run again when its worker died or its result was lost; -1 for ever. Default 3. Exceptions of its own are not retried unless <see cref="RetryOn"/> names them.</summary>
    public int MaxRetries { get; set; } = 3;

    /// <summary>The exceptions (and what derives from them) on which a task, or an actor's call, is retried within <see cref="MaxRetries"/> or <see cref="MaxTaskRetries"/>. Default none.</summary>
    public Type[] RetryOn { get; set; } = [];

    /// <summary>Seconds a task may run before it is cancelled and fails with <see cref="RequestTimeoutException"/>; 0 for no limit. Default 0.</summary>
    public double TimeoutSeconds { get; set; }

    /// <summary>Actors: how often it is made again when its worker died; -1 for ever. Default 0.</summary>
    public int MaxRestarts { get; set; }

    /// <summary>Actors: how often a call is sent again when the actor died under it; -1 for ever. Default 0.</summary>
    public int MaxTaskRetries { get; set; }

    /// <summary>Actors: how many calls may wait; further ones fail with <see cref="PendingCallsLimitException"/>. -1 for no limit. Default -1.</summary>
    public int MaxPendingCalls { get; set; } = -1;

    /// <summary>Actors: how many calls run at once; 0 for the default: 1 thread for turn-based actors, 1000 for parallel ones.</summary>
    public int MaxConcurrency { get; set; }

    /// <summary>Actors: whether calls take turns or run side by side. Default turn-based.</summary>
    public ConcurrencyMode Concurrency { get; set; }

    /// <summary>Actors: groups with a limit of their own, as <c>"io=2, compute=4"</c>; <see cref="ConcurrencyGroupAttribute"/> puts a method in one. Default none.</summary>
    public string? ConcurrencyGroups { get; set; }
}
