using System.Globalization;
using System.Runtime.InteropServices;

namespace Serve.Cli.Hosting;

/// <summary>
/// Reaps orphans when the node is the first process of its container. Orphans become children of the first process, and .NET reaps only processes that it started itself.
/// </summary>
internal static partial class OrphanReaper
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);
    private const int WithoutWaiting = 1; // WNOHANG

    /// <summary>Reaps until the token is canceled; returns at once if this is not the first process.</summary>
    /// <param name="time">Clock.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    public static async Task RunAsync(TimeProvider time, CancellationToken cancellationToken)
    {
        if (!OperatingSystem.IsLinux() || Environment.ProcessId != 1)
            return;
        using var timer = new PeriodicTimer(Interval, time);
        HashSet<int> seen = [];
        try
        {
            while (await timer.WaitForNextTickAsync(cancellationToken))
            {
                // A child that .NET started is reaped by it at once. One that has been a zombie for a whole interval is an orphan.
                var zombies = ZombieChildren();
                foreach (var orphan in zombies.Where(seen.Contains))
                    _ = WaitForProcess(orphan, out _, WithoutWaiting);
                seen = zombies;
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The node stops.
        }
    }

    private static HashSet<int> ZombieChildren()
    {
        HashSet<int> zombies = [];
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out var pid) && IsZombieChild(folder))
                zombies.Add(pid);
        }

        return zombies;
    }

    private static bool IsZombieChild(string folder)
    {
        try
        {
            // pid (name) state parent …; the name may contain any character.
            var stat = File.ReadAllText(Path.Combine(folder, "stat"));
            return stat.AsSpan(stat.LastIndexOf(')') + 1).StartsWith(" Z 1 ", StringComparison.Ordinal);
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    [LibraryImport("libc", EntryPoint = "waitpid")]
    private static partial int WaitForProcess(int pid, out int status, int options);
}
