using Serve.Http;

namespace Serve.Runtime;

/// <summary>
/// A live actor as its activator made it. Disposing it runs the user's own disposal; the runtime does so once, after the last call. The
/// runtime runs health checks, new settings and disposal as turns of the actor; an instance that asks for a turn again is safe.
/// </summary>
public abstract class ActorInstance : IAsyncDisposable
{
    /// <summary>The object whose methods are called.</summary>
    public abstract object Target { get; }

    /// <summary>How its methods are called by name.</summary>
    public abstract ActorMethodTable Methods { get; }

    /// <summary>How it answers HTTP; null when it does not.</summary>
    public virtual IActorHttpHandler? Http => null;

    /// <summary>Whether <see cref="Serve.Calls.RequestContext.Current"/> is set while a call runs. Costs a little, so only for code that can see it.</summary>
    public virtual bool SeesRequests => false;

    /// <summary>Told of the calls that the runtime made; null when nobody counts them. HTTP requests are not among them.</summary>
    public virtual IActorCallObserver? Calls => null;

    /// <summary>Whether it is well: throws when it is not.</summary>
    /// <param name="cancellationToken">Fires when the check has taken too long.</param>
    /// <returns>Completes when it is well.</returns>
    public virtual ValueTask CheckHealthAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;

    /// <summary>Takes new settings while it runs.</summary>
    /// <param name="payload">Opaque to the runtime.</param>
    /// <param name="cancellationToken">Fires when it is given up.</param>
    /// <returns>Completes when they are in force.</returns>
    public virtual ValueTask ReconfigureAsync(ReadOnlyMemory<byte> payload, CancellationToken cancellationToken) => ValueTask.CompletedTask;

    /// <inheritdoc/>
    public abstract ValueTask DisposeAsync();
}
