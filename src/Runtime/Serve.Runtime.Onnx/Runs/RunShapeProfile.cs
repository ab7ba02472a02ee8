namespace Serve.Runtime.Onnx.Runs;

/// <summary>
/// What is known of runs on inputs of certain shapes with certain outputs wanted: what the outputs' shapes were, and how long the runs took. The one writer of both, and of the
/// memory that waits for the next run.
/// </summary>
internal sealed class RunShapeProfile(long[][] inputs, int[] wanted, string[] outputNames, OutputMemoryBudget budget)
{
    private readonly Lock _guard = new();
    private readonly Stack<PinnedOutputSet> _free = [];
    private LearnedOutputShape[]? _learned;
    private bool _varies;
    private bool _isReleased;
    private long _typical;

    /// <summary>The shape of each input, in the graph's order.</summary>
    public long[][] Inputs => inputs;

    /// <summary>The outputs' names, in the order in which they are given.</summary>
    public string[] OutputNames => outputNames;

    /// <summary>The outputs' places in the graph.</summary>
    public int[] Wanted => wanted;

    /// <summary>What a run takes, in ticks of the stopwatch: follows shorter ones at once and longer ones slowly, so that one run in the way of others is soon forgotten. Zero before the first.</summary>
    public long Typical => Volatile.Read(ref _typical);

    public bool Is(ReadOnlySpan<int> others) => others.SequenceEqual(wanted);

    public void Observe(long ticks)
    {
        // Runs at a time may overwrite each other's: it is an estimate.
        var known = Volatile.Read(ref _typical);
        Volatile.Write(ref _typical, known == 0 ? ticks : ticks < known ? (ticks + known) / 2 : known + ((Math.Min(ticks, 4 * known) - known) / 8) + 1);
    }

    /// <summary>Memory for the outputs.</summary>
    /// <returns>Null when their shapes are not known.</returns>
    public PinnedOutputSet? Rent()
    {
        LearnedOutputShape[] outputs;
        lock (_guard)
        {
            if (_learned is null || _isReleased)
                return null;
            if (_free.TryPop(out var set))
            {
                budget.Take(set.Size);
                return set;
            }

            outputs = _learned;
        }

        return new PinnedOutputSet(this, outputNames, outputs);
    }

    public void Return(PinnedOutputSet set)
    {
        lock (_guard)
        {
            if (!_isReleased && _learned is not null && budget.TryGive(set.Size))
            {
                _free.Push(set);
                return;
            }
        }

        set.Release();
    }

    /// <summary>Notes what a run's outputs were.</summary>
    public void Learn(LearnedOutputShape[] outputs)
    {
        lock (_guard)
        {
            if (!_varies && Array.TrueForAll(outputs, output => output.Type != TensorType.String))
                _learned = outputs;
        }
    }

    /// <summary>The shapes depend on more than the inputs' shapes: nothing is bound before a run any more.</summary>
    public void Forget()
    {
        lock (_guard)
        {
            _varies = true;
            Drop();
        }
    }

    /// <summary>Gives up the memory that waits.</summary>
    public void Release()
    {
        lock (_guard)
        {
            _isReleased = true;
            Drop();
        }
    }

    private void Drop()
    {
        _learned = null;
        while (_free.TryPop(out var set))
        {
            budget.Take(set.Size);
            set.Release();
        }
    }
}
