using System.Runtime.InteropServices;

namespace Serve.Runtime.CoreActors;

/// <summary>A counter on a cache line of its own.</summary>
[StructLayout(LayoutKind.Explicit, Size = 128)]
internal struct CallCount
{
    [FieldOffset(64)]
    private long value;

    public long Value => Volatile.Read(ref value);

    public long Increment() => Interlocked.Increment(ref value);
}
