namespace Serve.Runtime.Objects;

/// <summary>Thrown when an object to be sent was lost and is being recomputed; the sender retries when it is ready.</summary>
/// <param name="again">Recomputed object.</param>
internal sealed class ObjectRecomputingException(ObjectRef again) : Exception("The object is being recomputed.")
{
    public ObjectRef Recomputed => again;
}
