namespace Serve.Runtime;

/// <summary>
/// The instance behind an actor, created by its activator. The runtime disposes it once, after the last call, which runs the user's own disposal.
/// Health checks, reconfiguration and disposal run as turns of the actor; an instance may safely request another turn in them.
/// </summary>
public abstract class ActorInstance : IAsyncDisposable
{
    /// <summary>The object whose methods are called.</summary>
    public abstract object Target { get; }

    /// <summary>The methods that can be called by name.</summary>
    public abstract ActorMethodTable Methods { get; }

    /// <summary>Whether <see cref="Serve.Calls.RequestContext.Current"/> is set while a call runs. Has a small cost, so only for code that reads it.</summary>
    public virtual bool SeesRequests => false;

    /// <summary>Observes the calls of the actor; null if calls are not counted. HTTP requests are not reported.</summary>
    public virtual IActorCallObserver? Calls => null;

    /// <summary>Human-readable facts that an operator should know although the actor works, for example that it could not use a device. Read after the creation and after each reconfiguration.</summary>
    public virtual IReadOnlyList<string> Notices => [];

    /// <summary>Runs the actor's health check; throws if it fails.</summary>
    /// <param name="cancellationToken">Fires when the check has timed out.</param>
    public virtual ValueTask CheckHealthAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;

    /// <summary>Applies new settings while the actor runs.</summary>
    /// <param name="payload">Opaque to the runtime.</param>
    /// <param name="cancellationToken">Fires when the reconfiguration is canceled.</param>
    public virtual ValueTask ReconfigureAsync(ReadOnlyMemory<byte> payload, CancellationToken cancellationToken) => ValueTask.CompletedTask;

    /// <inheritdoc/>
    public abstract ValueTask DisposeAsync();
}

/// <summary>Observes the calls of an actor, for metrics. Called from any thread; must not block or throw.</summary>
public interface IActorCallObserver
{
    /// <summary>Reports the end of a call or stream.</summary>
    /// <param name="method">The method's name.</param>
    /// <param name="duration">Time since the call was admitted.</param>
    /// <param name="error">The exception thrown to the caller; null if the call succeeded. A <see cref="UserCodeException"/> was thrown by the actor.</param>
    void OnEnded(string method, TimeSpan duration, Exception? error);
}
