namespace Serve;

/// <summary>What is to happen when an object is ready: a link of the list that hangs on its ref. Runs on the thread that made it ready, so it must be short and must not throw.</summary>
internal abstract class ObjectRefContinuation
{
    internal ObjectRefContinuation? Next { get; set; }

    internal abstract void Run();
}
