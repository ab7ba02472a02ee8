using Serve.Runtime.Actors;


namespace Serve.Runtime.Serialization;

/// <summary>
/// Counts object references and actor handles that are exchanged with one other process. Each <see cref="Export(ObjectRef)"/> here corresponds to one <see
/// cref="Adopt"/> there when the message is read.
/// </summary>
public interface IPeerReferenceResolver
{
    /// <summary>Exports a reference with the message that is being created; the peer borrows it from the time it reads the message.</summary>
    /// <returns>Id by which the peer knows it.</returns>
    long Export(ObjectRef reference);

    /// <summary>Adopts a received reference.</summary>
    /// <returns>Object to keep alive as long as the containing value: the reference if it is known, otherwise an object that releases it when collected.</returns>
    object Adopt(long id);

    /// <summary>Returns the reference as <c>ObjectRef&lt;valueType&gt;</c> for user code.</summary>
    ObjectRef Import(long id, Type valueType);

    /// <summary>Exports an actor handle like <see cref="Export(ObjectRef)"/>.</summary>
    /// <returns>The actor's number.</returns>
    long Export(IActorHandleLink handle);

    /// <summary>Adopts a received actor handle like <see cref="Adopt"/>.</summary>
    object AdoptActor(long number);

    /// <summary>Returns the handle as <c>ActorHandle&lt;actorType&gt;</c> for user code.</summary>
    object ImportActor(ActorHandleDescriptor address, Type actorType);
}
