namespace Serve.Runtime.Onnx.Runs;

/// <summary>
/// What is known of runs on inputs of certain shapes with certain outputs wanted: what the outputs' shapes were, and how long the runs took. The one writer of both, and of the
/// memory that waits for the next run.
/// </summary>
internal sealed class RunShape(long[][] inputs, int[] wanted, string[] outputNames, OutputBudget budget)
{
    private readonly Lock guard = new();
    private readonly Stack<OutputSet> free = [];
    private LearnedOutput[]? learned;
    private bool varies;
    private bool isReleased;
    private long typical;

    /// <summary>The shape of each input, in the graph's order.</summary>
    public long[][] Inputs => inputs;

    /// <summary>The outputs' names, in the order in which they are given.</summary>
    public string[] OutputNames => outputNames;

    /// <summary>The outputs' places in the graph.</summary>
    public int[] Wanted => wanted;

    /// <summary>What a run takes, in ticks of the stopwatch: follows shorter ones at once and longer ones slowly, so that one run in the way of others is soon forgotten. Zero before the first.</summary>
    public long Typical => Volatile.Read(ref typical);

    public bool Is(ReadOnlySpan<int> others) => others.SequenceEqual(wanted);

    public void Observe(long ticks)
    {
        // Runs at a time may overwrite each other's: it is an estimate.
        var known = Volatile.Read(ref typical);
        Volatile.Write(ref typical, known == 0 ? ticks : ticks < known ? (ticks + known) / 2 : known + ((Math.Min(ticks, 4 * known) - known) / 8) + 1);
    }

    /// <summary>Memory for the outputs.</summary>
    /// <returns>Null when their shapes are not known.</returns>
    public OutputSet? Rent()
    {
        LearnedOutput[] outputs;
        lock (guard)
        {
            if (learned is null || isReleased)
                return null;
            if (free.TryPop(out var set))
            {
                budget.Take(set.Size);
                return set;
            }

            outputs = learned;
        }

        return new OutputSet(this, outputNames, outputs);
    }

    public void Return(OutputSet set)
    {
        lock (guard)
        {
            if (!isReleased && learned is not null && budget.TryGive(set.Size))
            {
                free.Push(set);
                return;
            }
        }

        set.Release();
    }

    /// <summary>Notes what a run's outputs were.</summary>
    public void Learn(LearnedOutput[] outputs)
    {
        lock (guard)
        {
            if (!varies && Array.TrueForAll(outputs, output => output.Type != TensorType.String))
                learned = outputs;
        }
    }

    /// <summary>The shapes depend on more than the inputs' shapes: nothing is bound before a run any more.</summary>
    public void Forget()
    {
        lock (guard)
        {
            varies = true;
            Drop();
        }
    }

    /// <summary>Gives up the memory that waits.</summary>
    public void Release()
    {
        lock (guard)
        {
            isReleased = true;
            Drop();
        }
    }

    private void Drop()
    {
        learned = null;
        while (free.TryPop(out var set))
        {
            budget.Take(set.Size);
            set.Release();
        }
    }
}
