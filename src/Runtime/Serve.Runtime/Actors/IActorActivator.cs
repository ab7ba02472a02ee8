namespace Serve.Runtime;

/// <summary>Makes actors of one kind. Registered in the node and in its workers alike, since either may hold the actor.</summary>
public interface IActorActivator
{
    /// <summary>The <see cref="ActorSpec.Kind"/> it makes.</summary>
    string Kind { get; }

    /// <summary>Makes the instance: runs its constructor and whatever must succeed before it takes calls. What it throws is reported as the creation's failure.</summary>
    /// <param name="context">The actor to make and what the runtime lends it.</param>
    /// <param name="cancellationToken">Fires when the creation is given up.</param>
    /// <returns>The instance, ready for calls.</returns>
    ValueTask<ActorInstance> ActivateAsync(ActorActivationContext context, CancellationToken cancellationToken);
}
