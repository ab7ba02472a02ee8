using System.Runtime.InteropServices;

namespace Serve.Runtime.Turns;

/// <summary>The head of a list of calls, padded to its own cache line: one list is written by callers, the other by the thread that runs the actor.</summary>
[StructLayout(LayoutKind.Explicit, Size = 128)]
internal struct PaddedMailboxLink
{
    [FieldOffset(64)]
    public IMailboxCall? Call;
}
