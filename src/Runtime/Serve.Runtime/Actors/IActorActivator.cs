namespace Serve.Runtime;

/// <summary>Creates the instances of actors of one kind. Registered in the node and in its workers, because both may host the actor.</summary>
public interface IActorActivator
{
    /// <summary>The <see cref="ActorSpec.Kind"/> that it creates.</summary>
    string Kind { get; }

    /// <summary>Creates an instance: runs its constructor and everything that must succeed before it accepts calls. An exception fails the creation of the actor.</summary>
    /// <param name="context">The actor to create and what the runtime provides to it.</param>
    /// <param name="cancellationToken">Fires when the creation is canceled.</param>
    /// <returns>The instance, ready for calls.</returns>
    ValueTask<ActorInstance> ActivateAsync(ActorActivationContext context, CancellationToken cancellationToken);
}
