namespace Serve.Runtime.CoreActors;

/// <summary>Handle of an actor of any class: in the driver one that the actor counts, in a worker one that the driver counts.</summary>
internal interface IActorHandleLink
{
    ActorHandleDescriptor Address { get; }

    /// <summary>Cluster of the actor.</summary>
    Cluster Cluster { get; }
}
