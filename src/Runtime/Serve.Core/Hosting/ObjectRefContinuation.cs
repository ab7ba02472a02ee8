namespace Serve.Hosting;

/// <summary>
/// Code that runs when an object is ready; a node of the list on its reference. Runs on the thread that completes the object, so it must be short
/// and must not throw.
/// </summary>
public abstract class ObjectRefContinuation
{
    internal ObjectRefContinuation? Next { get; set; }

    /// <summary>Runs the continuation.</summary>
    public abstract void Run();
}
