using System.Runtime.InteropServices;

namespace Serve.Runtime.CoreActors;

/// <summary>A counter on a cache line of its own.</summary>
[StructLayout(LayoutKind.Explicit, Size = 128)]
internal struct PaddedCallCounter
{
    [FieldOffset(64)]
    private long _value;

    public long Value => Volatile.Read(ref _value);

    public long Increment() => Interlocked.Increment(ref _value);
}
