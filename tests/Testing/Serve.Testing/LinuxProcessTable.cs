using System.Globalization;
using System.Text;

namespace Serve.Testing;

/// <summary>Processes as Linux tells them, defunct ones included.</summary>
public static class LinuxProcessTable
{
    /// <summary>The state letter of a process; null when there is none of that id.</summary>
    public static char? StateOf(int pid) => Stat(pid)?[0][0];

    /// <summary>The parent of a process; null when there is none of that id.</summary>
    public static int? ParentOf(int pid) => Stat(pid) is { } stat ? int.Parse(stat[1], CultureInfo.InvariantCulture) : null;

    /// <summary>The children of a process, defunct ones included.</summary>
    public static List<int> ChildrenOf(int pid) => [.. All().Where(child => ParentOf(child) == pid)];

    /// <summary>The live processes with an environment variable of this name and value.</summary>
    public static List<int> WithEnvironment(string variable) => [.. All().Where(pid => Environment(pid).Contains(variable))];

    /// <summary>The ports of 127.0.0.1 and 0.0.0.0 that a process listens on.</summary>
    public static List<int> PortsOf(int pid)
    {
        HashSet<string> sockets = [.. Directory.EnumerateFiles($"/proc/{pid}/fd").Select(fd => new FileInfo(fd).LinkTarget ?? "")];
        return [.. File.ReadLines("/proc/net/tcp").Skip(1)
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            // Local address, state (0A listens) and inode.
            .Where(columns => columns[3] == "0A" && sockets.Contains($"socket:[{columns[9]}]"))
            .Select(columns => int.Parse(columns[1].Split(':')[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture))];
    }

    /// <summary>Waits until none of the processes is left. One that waits for the machine's first process to reap it counts as gone: it is nobody's of ours.</summary>
    public static Task WaitForExitAsync(IReadOnlyCollection<int> pids, TimeSpan within) => Eventually.TrueAsync(
        () => Task.FromResult(pids.All(HasExited)),
        () => "gone; still there: " + string.Join(", ", pids.Where(pid => !HasExited(pid)).Select(pid => $"{pid} ({StateOf(pid)}, child of {ParentOf(pid)})")),
        within);

    internal static void Kill(int pid) => _ = PosixSignals.Kill(pid, ServeCliProcess.Kill);

    private static bool HasExited(int pid) => Stat(pid) is not { } stat || (stat[0] == "Z" && stat[1] == "1");

    private static IEnumerable<int> All() => Directory.EnumerateDirectories("/proc")
        .Select(folder => int.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out var pid) ? pid : 0)
        .Where(pid => pid > 0);

    private static string[] Environment(int pid) => Read($"/proc/{pid}/environ")?.Split('\0') ?? [];

    // After the name in parentheses, which may hold anything: state, parent, group …
    private static string[]? Stat(int pid) => Read($"/proc/{pid}/stat") is { Length: > 0 } stat ? stat[(stat.LastIndexOf(')') + 2)..].Split(' ') : null;

    private static string? Read(string path)
    {
        try
        {
            return File.ReadAllText(path, Encoding.UTF8);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It ended while we looked, or is somebody else's.
            return null;
        }
    }
}
