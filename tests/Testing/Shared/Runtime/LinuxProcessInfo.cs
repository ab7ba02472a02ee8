using System.Globalization;

namespace Serve.Runtime.Testing;

/// <summary>What /proc says of a process.</summary>
internal static class LinuxProcessInfo
{
    /// <summary>Whether a process has this id, defunct ones included.</summary>
    public static bool Exists(int pid) => Directory.Exists($"/proc/{pid}");

    public static int GroupOf(int pid) => int.Parse(Stat(pid)[2], CultureInfo.InvariantCulture);

    /// <summary>Ids and states of this process's children.</summary>
    public static IReadOnlyList<(int Pid, string State, string Name)> Children() =>
    [
        .. Directory.EnumerateDirectories("/proc")
            .Select(path => int.TryParse(Path.GetFileName(path), out var pid) ? pid : 0)
            .Where(pid => pid != 0)
            .Select(pid => (pid, stat: TryStat(pid), name: TryName(pid)))
            .Where(entry => entry.stat is { } stat && int.Parse(stat[1], CultureInfo.InvariantCulture) == Environment.ProcessId)
            .Select(entry => (entry.pid, entry.stat![0], entry.name)),
    ];

    private static string TryName(int pid)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/comm").Trim();
        }
        catch (IOException)
        {
            return "";
        }
    }

    private static string[]? TryStat(int pid)
    {
        try
        {
            return Stat(pid);
        }
        catch (Exception thrown) when (thrown is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    // After the name, which may hold anything: state, parent, group, ...
    private static string[] Stat(int pid)
    {
        var text = File.ReadAllText($"/proc/{pid}/stat");
        return text[(text.LastIndexOf(')') + 2)..].Split(' ');
    }
}
