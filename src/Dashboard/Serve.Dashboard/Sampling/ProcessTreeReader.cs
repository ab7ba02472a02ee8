using System.Buffers.Text;
using System.Globalization;
using System.Text;

namespace Serve.Dashboard.Sampling;

/// <summary>Finds the descendants of processes, and names of processes.</summary>
internal static class ProcessTreeReader
{
    /// <summary>Returns the descendants of processes; empty on other systems than Linux. Reads the state of every process of the machine.</summary>
    /// <param name="roots">The processes, which are not among the result.</param>
    public static List<int> FindDescendants(IReadOnlySet<int> roots)
    {
        if (!OperatingSystem.IsLinux())
            return [];
        Dictionary<int, int> parents = [];
        Span<byte> buffer = stackalloc byte[512];
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(folder.AsSpan()), NumberStyles.None, CultureInfo.InvariantCulture, out var pid))
                continue;
            var stat = buffer[..ProcFile.Read(ProcFile.PathOf(pid, "stat"), buffer)];
            var end = stat.LastIndexOf((byte)')');
            if (end > 0 && stat.Length > end + 4 && Utf8Parser.TryParse(stat[(end + 4)..], out int parent, out _))
                parents[pid] = parent;
        }

        return [.. parents.Keys.Where(pid => !roots.Contains(pid) && IsBelow(pid)).Order()];

        bool IsBelow(int pid)
        {
            for (var depth = 0; depth < 100 && parents.TryGetValue(pid, out pid); depth++)
            {
                if (roots.Contains(pid))
                    return true;
            }

            return false;
        }
    }

    /// <summary>Returns the name of a process; empty if it has exited.</summary>
    /// <param name="pid">The process.</param>
    public static string NameOf(int pid)
    {
        Span<byte> buffer = stackalloc byte[64];
        return Encoding.UTF8.GetString(buffer[..ProcFile.Read(ProcFile.PathOf(pid, "comm"), buffer)]).TrimEnd('\n');
    }

    /// <summary>Returns the command line of a process, cut to 300 characters; empty if it has exited or belongs to another user.</summary>
    /// <param name="pid">The process.</param>
    public static string CommandOf(int pid)
    {
        Span<byte> buffer = stackalloc byte[300];
        return Encoding.UTF8.GetString(buffer[..ProcFile.Read(ProcFile.PathOf(pid, "cmdline"), buffer)]).Replace('\0', ' ').TrimEnd();
    }
}
