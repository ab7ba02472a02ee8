using Serve.Runtime.CoreActors;

namespace Serve.Runtime.Serialization;

/// <summary>
/// How refs cross to one other process. Each <see cref="Export(ObjectRef)"/> here meets one <see cref="Adopt"/> there, when the message is read, so
/// that both sides can count.
/// </summary>
internal interface IPeerReferenceResolver
{
    /// <summary>A ref goes out with the message that is being made: the other side holds it from when it reads that.</summary>
    /// <returns>Its id as the other side knows it.</returns>
    long Export(ObjectRef reference);

    /// <summary>A message has brought a ref. What is returned is held as long as the value that the ref is inside of; the ref itself, where it is known already, or whatever releases it when it is collected.</summary>
    object Adopt(long id);

    /// <summary>User code is about to see the ref: <c>ObjectRef&lt;valueType&gt;</c>.</summary>
    ObjectRef Import(long id, Type valueType);

    /// <summary>As <see cref="Export(ObjectRef)"/>, for a handle of an actor.</summary>
    /// <returns>The actor's number.</returns>
    long Export(IActorHandleLink handle);

    /// <summary>As <see cref="Adopt"/>, for a handle of an actor.</summary>
    object AdoptActor(long number);

    /// <summary>User code is about to see the handle: <c>ActorHandle&lt;actorType&gt;</c>.</summary>
    object ImportActor(ActorHandleDescriptor address, Type actorType);
}
