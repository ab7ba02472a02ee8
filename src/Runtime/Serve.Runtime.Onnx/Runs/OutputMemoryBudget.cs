namespace Serve.Runtime.Onnx.Runs;

/// <summary>How much memory of a session may wait for the next run. The one writer of how much does.</summary>
internal sealed class OutputMemoryBudget(long limit)
{
    private long _held;

    public long Held => Volatile.Read(ref _held);

    public bool TryGive(long bytes)
    {
        if (Interlocked.Add(ref _held, bytes) <= limit)
            return true;
        Interlocked.Add(ref _held, -bytes);
        return false;
    }

    public void Take(long bytes) => Interlocked.Add(ref _held, -bytes);
}
