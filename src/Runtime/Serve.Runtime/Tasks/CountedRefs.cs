namespace Serve.Runtime.Tasks;

/// <summary>Counts refs that become ready, until enough are. Written with interlocked operations.</summary>
internal sealed class CountedRefs
{
    private readonly TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly bool untilFault;
    private int missing;

    /// <summary>Starts to count.</summary>
    /// <param name="references">The refs.</param>
    /// <param name="count">How many have to be ready.</param>
    /// <param name="untilFault">Whether one that failed is enough.</param>
    public CountedRefs(IReadOnlyList<ObjectRef> references, int count, bool untilFault)
    {
        this.untilFault = untilFault;

        missing = count;
        if (count == 0)
            ended.TrySetResult();
        for (var i = 0; i < references.Count; i++)
        {
            var reference = references[i];
            if (reference.IsReady || !reference.TryOnReady(new One(this, reference)))
                OnReady(reference);
        }
    }

    public Task Ended => ended.Task;

    private void OnReady(ObjectRef reference)
    {
        if (Interlocked.Decrement(ref missing) == 0 || (untilFault && reference.IsFaulted))
            ended.TrySetResult();
    }

    private sealed class One(CountedRefs counted, ObjectRef reference) : RefContinuation
    {
        internal override void Run() => counted.OnReady(reference);
    }
}
