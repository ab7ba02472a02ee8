using System.Collections.Immutable;

namespace Serve.Runtime;

/// <summary>What the runtime lends an actor for its life.</summary>
public sealed class ActorActivationContext
{
    /// <summary>What was asked for.</summary>
    public required ActorSpec Spec { get; init; }

    /// <summary>The process it lives in, as in <see cref="Serve.Routes.HostProcessAddress.ProcessId"/>.</summary>
    public required string ProcessId { get; init; }

    /// <summary>Lets user code run a turn at a time.</summary>
    public required ActorTurnScheduler Turns { get; init; }

    /// <summary>Counts and limits what is ongoing, calls and HTTP requests alike.</summary>
    public required ConcurrencyLimiter Gate { get; init; }

    /// <summary>The devices the ledger assigned.</summary>
    public ImmutableArray<int> GpuIds { get; init; } = [];

    /// <summary>Fires when a drain has taken too long: what is still ongoing is to end now.</summary>
    public CancellationToken Aborted { get; init; }

    /// <summary>Input of the activator besides the payload, if the actor runs in the process that requested it.</summary>
    internal object? Factory { get; init; }

    /// <summary>The process's own services.</summary>
    public required IServiceProvider Services { get; init; }
}
