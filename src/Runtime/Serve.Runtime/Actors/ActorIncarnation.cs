namespace Serve.Runtime.Actors;

/// <summary>One incarnation of an actor: its running instance, in this process or in a worker. Each restart creates another.</summary>
public abstract class ActorIncarnation
{
    /// <summary>Reason why the process of the incarnation has exited by itself; null while it runs.</summary>
    public virtual string? ExitReason => null;

    /// <summary>The worker that hosts the incarnation; null for this process.</summary>
    public virtual string? WorkerId => null;

    public virtual int Pid => Environment.ProcessId;

    /// <summary>The addresses of the hosting process; null if only the driver calls the actor.</summary>
    public virtual HostProcessAddress? Address => null;

    /// <summary>Counts ongoing calls; null if the worker counts them.</summary>
    public virtual ConcurrencyLimiter? Limiter => null;

    /// <summary>
    /// Ends the incarnation: drains its calls and disposes it, or kills its process. Does not throw if the process has exited. A second call while the first
    /// one drains cuts the drain short if its own timeout is zero.
    /// </summary>
    public abstract Task EndAsync(TimeSpan drain, bool kill, CancellationToken cancellationToken);

    /// <exception cref="UserCodeException">The actor threw.</exception>
    public virtual Task ReconfigureAsync(int maxOngoing, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken) => throw new NotSupportedException("The actor has no settings.");

    /// <summary>Returns the notices of the actor.</summary>
    public virtual Task<IReadOnlyList<string>> GetNoticesAsync(CancellationToken cancellationToken) => Task.FromResult<IReadOnlyList<string>>([]);

    /// <exception cref="UserCodeException">The health check failed or timed out.</exception>
    public virtual Task CheckHealthAsync(TimeSpan timeout, CancellationToken cancellationToken) => Task.CompletedTask;
}
