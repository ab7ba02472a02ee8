using System.Collections.Immutable;

namespace Serve.Runtime;

/// <summary>Creates the instances of actors of one kind. Registered in the node and in its workers, because both may host the actor.</summary>
public interface IActorActivator
{
    /// <summary>The <see cref="ActorSpec.Kind"/> that it creates.</summary>
    string Kind { get; }

    /// <summary>Creates an instance: runs its constructor and everything that must succeed before it accepts calls. An exception fails the creation of the actor.</summary>
    /// <param name="context">The actor to create, and the resources that the runtime provides to it.</param>
    /// <param name="cancellationToken">Fires when the creation is canceled.</param>
    /// <returns>The instance, ready for calls.</returns>
    ValueTask<ActorInstance> ActivateAsync(ActorActivationContext context, CancellationToken cancellationToken);
}

/// <summary>The actor to activate, and the resources that the runtime provides to it.</summary>
public sealed class ActorActivationContext
{
    /// <summary>The actor to create.</summary>
    public required ActorSpec Spec { get; init; }

    /// <summary>The process it lives in, as in <see cref="HostProcessAddress.ProcessId"/>.</summary>
    public required string ProcessId { get; init; }

    /// <summary>Runs user code of the actor.</summary>
    public required ActorTurnScheduler Turns { get; init; }

    /// <summary>Counts and limits ongoing calls and HTTP requests.</summary>
    public required ConcurrencyLimiter Gate { get; init; }

    /// <summary>GPU devices assigned to the actor.</summary>
    public ImmutableArray<int> GpuIds { get; init; } = [];

    /// <summary>Fires when the drain timeout has expired; ongoing calls must end.</summary>
    public CancellationToken Aborted { get; init; }

    /// <summary>Input of the activator besides the payload, if the actor runs in the process that requested it.</summary>
    internal object? Factory { get; init; }

    /// <summary>Services of the hosting process.</summary>
    public required IServiceProvider Services { get; init; }
}
