namespace Serve.Runtime.CoreActors;

/// <summary>A handle to an actor, whatever its class: in the head one that the actor has counted, in a worker one that the head counts.</summary>
internal interface IActorHandleLink
{
    ActorHandleDescriptor Address { get; }

    /// <summary>The cluster it belongs to.</summary>
    Cluster Cluster { get; }

    /// <summary>The actor; null in a worker.</summary>
    ActorRecord? Here { get; }
}
