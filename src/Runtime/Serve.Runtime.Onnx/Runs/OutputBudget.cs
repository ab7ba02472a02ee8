namespace Serve.Runtime.Onnx.Runs;

/// <summary>How much memory of a session may wait for the next run. The one writer of how much does.</summary>
internal sealed class OutputBudget(long limit)
{
    private long held;

    public long Held => Volatile.Read(ref held);

    public bool TryGive(long bytes)
    {
        if (Interlocked.Add(ref held, bytes) <= limit)
            return true;
        Interlocked.Add(ref held, -bytes);
        return false;
    }

    public void Take(long bytes) => Interlocked.Add(ref held, -bytes);
}
