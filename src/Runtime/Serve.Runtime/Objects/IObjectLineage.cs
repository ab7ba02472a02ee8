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
