using System.Runtime.InteropServices;

namespace Serve.Runtime.Turns;

/// <summary>The start of a list of calls on a cache line of its own: one end is written by callers, the other by who runs the actor.</summary>
[StructLayout(LayoutKind.Explicit, Size = 128)]
internal struct PaddedMailboxLink
{
    [FieldOffset(64)]
    public IMailboxCall? Call;
}
