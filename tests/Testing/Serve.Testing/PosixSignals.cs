using System.Runtime.InteropServices;

namespace Serve.Testing;

/// <summary>What .NET has no words for.</summary>
internal static partial class PosixSignals
{
    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    public static partial int Kill(int pid, int signal);
}
