namespace Serve.Runtime.Tasks;

/// <summary>Counts objects that become ready until enough are. Written with interlocked operations.</summary>
internal sealed class ReadyObjectCounter
{
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly bool _untilFault;
    private int _missing;

    /// <summary>Starts counting.</summary>
    /// <param name="references">Objects to count.</param>
    /// <param name="count">Number of objects that must be ready.</param>
    /// <param name="untilFault">Whether one failed object is enough.</param>
    public ReadyObjectCounter(IReadOnlyList<ObjectRef> references, int count, bool untilFault)
    {
        _untilFault = untilFault;

        _missing = count;
        if (count == 0)
            _ended.TrySetResult();
        for (var i = 0; i < references.Count; i++)
        {
            var reference = references[i];
            if (reference.IsReady || !reference.TryAddContinuation(new CountedRefContinuation(this, reference)))
                OnReady(reference);
        }
    }

    public Task Completion => _ended.Task;

    private void OnReady(ObjectRef reference)
    {
        if (Interlocked.Decrement(ref _missing) == 0 || (_untilFault && reference.IsFaulted))
            _ended.TrySetResult();
    }

    private sealed class CountedRefContinuation(ReadyObjectCounter counted, ObjectRef reference) : ObjectRefContinuation
    {
        public override void Run() => counted.OnReady(reference);
    }
}
