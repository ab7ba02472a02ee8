namespace Serve.Runtime.Parallel;

/// <summary>Reference that represents an event, so that a waiting task releases its CPU.</summary>
internal class CompletionSignalRef(Cluster cluster) : ObjectRef<object?>(cluster, default)
{
    public void Set() => TrySetResult(null);
}
