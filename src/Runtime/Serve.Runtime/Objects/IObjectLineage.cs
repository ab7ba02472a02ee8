namespace Serve.Runtime.Objects;

/// <summary>Recomputes an object whose bytes were lost, by running its task again.</summary>
internal interface IObjectLineage
{
    /// <summary>Runs the task again.</summary>
    /// <returns>Reference to the new result; null if the task has no retries left.</returns>
    ObjectRef? Restart();

    /// <summary>Blocks until the recomputed object is ready; a waiting task releases its CPU.</summary>
    void Wait(ObjectRef again);
}

/// <summary>Thrown when an object to be sent was lost and is being recomputed; the sender retries when it is ready.</summary>
/// <param name="again">Recomputed object.</param>
public sealed class ObjectRecomputingException(ObjectRef again) : Exception("The object is being recomputed.")
{
    public ObjectRef Recomputed => again;
}
