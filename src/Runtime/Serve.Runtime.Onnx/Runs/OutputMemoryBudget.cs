namespace Serve.Runtime.Onnx.Runs;

/// <summary>Budget of a session for pooled output memory.</summary>
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
