using System.Collections.Immutable;

namespace Serve.Runtime;

/// <summary>What the runtime provides to an actor that is being activated.</summary>
public sealed class ActorActivationContext
{
    /// <summary>The actor to create.</summary>
    public required ActorSpec Spec { get; init; }

    /// <summary>The process it lives in, as in <see cref="Serve.Routes.HostProcessAddress.ProcessId"/>.</summary>
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
