namespace Serve.Runtime.Parallel;

/// <summary>Something that will have happened, as a ref: a task that waits for it gives its CPU away meanwhile.</summary>
internal class CompletionSignalRef(Cluster cluster) : ObjectRef<object?>(cluster, default)
{
    public void Set() => TrySetResult(null);
}
