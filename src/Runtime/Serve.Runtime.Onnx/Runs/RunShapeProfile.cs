namespace Serve.Runtime.Onnx.Runs;

/// <summary>
/// Profile of the runs with inputs of certain shapes and certain requested outputs: shapes of the outputs, typical duration, and pooled output memory.
/// </summary>
internal sealed class RunShapeProfile(long[][] inputs, int[] wanted, int[] computed, string[] outputNames, OutputMemoryBudget budget)
{
    private readonly Lock _guard = new();
    private readonly Stack<PinnedOutputSet> _free = [];
    private LearnedOutputShape[]? _learned;
    private bool _varies;
    private bool _isReleased;
    private long _typical;

    /// <summary>Shape of each input, in the order of the graph.</summary>
    public long[][] Inputs => inputs;

    /// <summary>Names of the <see cref="Computed"/> outputs.</summary>
    public string[] OutputNames => outputNames;

    /// <summary>Indices of the requested outputs in the graph.</summary>
    public int[] Wanted => wanted;

    /// <summary>Those of them that the model computes; the others are inputs.</summary>
    public int[] Computed => computed;

    /// <summary>Typical duration of a run, in stopwatch ticks: adapts quickly to shorter runs and slowly to longer ones, so that an outlier has little effect. 0 before the first run.</summary>
    public long Typical => Volatile.Read(ref _typical);

    public bool Is(ReadOnlySpan<int> others) => others.SequenceEqual(wanted);

    public void Observe(long ticks)
    {
        // Concurrent runs may overwrite each other's value: it is an estimate.
        var known = Volatile.Read(ref _typical);
        Volatile.Write(ref _typical, known == 0 ? ticks : ticks < known ? (ticks + known) / 2 : known + ((Math.Min(ticks, 4 * known) - known) / 8) + 1);
    }

    /// <summary>Rents memory for the outputs.</summary>
    /// <returns>Null if their shapes are unknown.</returns>
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

    /// <summary>Records the output types and shapes of a run.</summary>
    public void Learn(LearnedOutputShape[] outputs)
    {
        lock (_guard)
        {
            if (!_varies && Array.TrueForAll(outputs, output => output.Type != TensorType.String))
                _learned = outputs;
        }
    }

    /// <summary>Disables binding before the run, because the output shapes depend on more than the input shapes.</summary>
    public void Forget()
    {
        lock (_guard)
        {
            _varies = true;
            Drop();
        }
    }

    /// <summary>Releases the pooled memory.</summary>
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
