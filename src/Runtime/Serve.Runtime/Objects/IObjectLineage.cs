namespace Serve.Runtime.Objects;

/// <summary>How an object is made again whose bytes are lost: the task that made it, with its arguments.</summary>
internal interface IObjectLineage
{
    /// <summary>Starts the task once more.</summary>
    /// <returns>The ref of what it makes; null when it has run as often as it may.</returns>
    ObjectRef? Restart();

    /// <summary>Blocks until that is ready; a task that waits lends its CPU.</summary>
    void Wait(ObjectRef again);
}
