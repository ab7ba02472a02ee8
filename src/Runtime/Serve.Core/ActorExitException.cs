namespace Serve;

/// <summary>Thrown by <see cref="Cluster.ExitActor"/> to leave the actor's code. Not to be caught: an actor that swallows it lives on.</summary>
public sealed class ActorExitException()
    : Exception("The actor ends itself. This exception leaves its code and is not to be caught; outside of an actor there is nothing to end.");
