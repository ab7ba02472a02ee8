using System.Collections.Immutable;

namespace Serve.Runtime;

/// <summary>An actor to activate in this process.</summary>
/// <param name="Spec">The actor.</param>
/// <param name="GpuIds">The GPU devices assigned to it.</param>
internal sealed record ActorActivationRequest(ActorSpec Spec, ImmutableArray<int> GpuIds)
{
    /// <summary>Input of the activator besides the payload, if the actor runs in the process that requests it.</summary>
    public object? Factory { get; init; }

    /// <summary>The scheduler of the actor's turns; null for a new one.</summary>
    public ActorTurnScheduler? Turns { get; init; }
}
