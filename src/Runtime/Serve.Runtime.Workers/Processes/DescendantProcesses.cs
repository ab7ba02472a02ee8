using System.Globalization;
using System.Text;
using Serve.Runtime.Workers.Processes;

namespace Serve.Runtime;

/// <summary>
/// Finds and kills the descendants of a process by an environment variable that children inherit: also those that have left its process group, and those whose own parents have exited. A process
/// that was started with an environment of its own is not found. Linux only; elsewhere it has no effect.
/// </summary>
public static class DescendantProcesses
{
    /// <summary>The marks of all ancestors, from the outermost, separated by colons.</summary>
    private const string Variable = "SERVE_ANCESTORS";

    // Processes that are started while others are killed are found by the next scan.
    private const int MaxScans = 100;
    private static readonly TimeSpan ScanInterval = TimeSpan.FromMilliseconds(2);

    /// <summary>Marks the processes that this one starts from now on.</summary>
    /// <param name="mark">Mark of this process, unique among all processes that run at a time.</param>
    public static void MarkChildren(string mark) => Environment.SetEnvironmentVariable(Variable, Extend(mark));

    /// <summary>Kills all marked processes except this one, and waits until they are gone.</summary>
    /// <param name="mark">The mark.</param>
    public static void KillAll(string mark)
    {
        if (!OperatingSystem.IsLinux())
            return;
        var bytes = Encoding.UTF8.GetBytes(mark);
        for (var scan = 0; scan < MaxScans; scan++)
        {
            var isFound = false;
            foreach (var folder in Directory.EnumerateDirectories("/proc"))
            {
                if (!int.TryParse(Path.GetFileName(folder.AsSpan()), CultureInfo.InvariantCulture, out var pid) || pid == Environment.ProcessId || !HasMark(folder, bytes))
                    continue;
                NativeProcessApi.KillProcess(pid);
                isFound = true;
            }

            if (!isFound)
                return;
#pragma warning disable RS0030 // Synchronous: this process is about to end, and its thread pool may be blocked.
            Thread.Sleep(ScanInterval);
#pragma warning restore RS0030
        }
    }

    /// <summary>Marks a process that is about to be started.</summary>
    /// <param name="environment">Its environment variables.</param>
    /// <returns>The mark of the process and of its descendants.</returns>
    internal static string Mark(IDictionary<string, string?> environment)
    {
        var mark = Guid.NewGuid().ToString("N");
        environment[Variable] = Extend(mark);
        return mark;
    }

    /// <summary>Kills the processes that descend from this one, if it was started with a mark.</summary>
    internal static void KillOwn()
    {
        if (Environment.GetEnvironmentVariable(Variable)?.Split(':')[^1] is { } own)
            KillAll(own);
    }

    private static string Extend(string mark) => Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } ancestors ? $"{ancestors}:{mark}" : mark;

    private static bool HasMark(string folder, byte[] mark)
    {
        try
        {
            return File.ReadAllBytes(Path.Combine(folder, "environ")).AsSpan().IndexOf(mark) >= 0;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // It has exited, or belongs to another user.
            return false;
        }
    }
}
