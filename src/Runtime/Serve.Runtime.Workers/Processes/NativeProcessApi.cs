using System.Runtime.InteropServices;

namespace Serve.Runtime.Workers.Processes;

/// <summary>Operating system calls without a .NET equivalent. Each does nothing on systems that do not have it.</summary>
internal static partial class NativeProcessApi
{
    private const int SigKill = 9;
    private const int SigCont = 18;
    private const int PrSetPdeathsig = 1;
    private const int FdCloexec = 1;
    private const int FSetFd = 2;

    /// <summary>
    /// Makes the kernel continue this process, if a signal has stopped it, when its parent ends, so that it notices the end of its input. It is not killed instead: then its
    /// children would survive it. Linux only.
    /// </summary>
    public static void ContinueOnParentExit()
    {
        if (OperatingSystem.IsLinux())
            _ = PrCtl(PrSetPdeathsig, SigCont, 0, 0, 0);
    }

    /// <summary>Makes this process the leader of its own group: Ctrl+C in a terminal no longer reaches it, and its children can be killed with it.</summary>
    public static void BecomeGroupLeader()
    {
        if (!OperatingSystem.IsWindows())
            _ = SetPGid(0, 0);
    }

    /// <summary>Kills a process and its group; does nothing if they have exited.</summary>
    public static void KillGroup(int pid)
    {
        if (OperatingSystem.IsWindows())
            return;
        _ = Kill(-pid, SigKill);
    }

    /// <summary>Kills a process; does nothing if it has exited.</summary>
    public static void KillProcess(int pid)
    {
        if (!OperatingSystem.IsWindows())
            _ = Kill(pid, SigKill);
    }

    /// <summary>Reads the state letter of a process, for example R (running), S (sleeping) or T (stopped by a signal); null if there is no such process, or the system is not Linux.</summary>
    public static char? StateOf(int pid)
    {
        if (!OperatingSystem.IsLinux())
            return null;
        try
        {
            // The name before it is in parentheses and may contain any character.
            var status = File.ReadAllText($"/proc/{pid}/stat");
            return status[status.LastIndexOf(')') + 2];
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Exits this process immediately, without finalizers or exit handlers.</summary>
    public static void ExitImmediately(int code)
    {
        if (OperatingSystem.IsWindows())
            Environment.FailFast("The node has exited.");
        else
            Exit(code);
    }

    /// <summary>Duplicates a descriptor; children do not inherit the copy.</summary>
    public static int Duplicate(int descriptor)
    {
        var copy = Dup(descriptor);
        _ = FCntl(copy, FSetFd, FdCloexec);
        return copy;
    }

    /// <summary>Redirects a descriptor to an open one.</summary>
    public static void Redirect(int open, int descriptor) => _ = Dup2(open, descriptor);

    [LibraryImport("libc", EntryPoint = "prctl")]
    private static partial int PrCtl(int option, nuint first, nuint second, nuint third, nuint fourth);

    [LibraryImport("libc", EntryPoint = "setpgid")]
    private static partial int SetPGid(int pid, int group);

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int pid, int signal);

    [LibraryImport("libc", EntryPoint = "_exit")]
    private static partial void Exit(int code);

    [LibraryImport("libc", EntryPoint = "dup")]
    private static partial int Dup(int descriptor);

    [LibraryImport("libc", EntryPoint = "dup2")]
    private static partial int Dup2(int open, int descriptor);

    [LibraryImport("libc", EntryPoint = "fcntl")]
    private static partial int FCntl(int descriptor, int command, int argument);
}
