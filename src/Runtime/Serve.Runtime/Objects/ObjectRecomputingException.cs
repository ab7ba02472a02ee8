namespace Serve.Runtime.Objects;

/// <summary>An object that was to be sent was lost and is being made again: whoever sends it tries once more when that is ready.</summary>
/// <param name="again">What makes it.</param>
internal sealed class ObjectRecomputingException(ObjectRef again) : Exception("The object is being made again.")
{
    public ObjectRef Recomputed => again;
}
