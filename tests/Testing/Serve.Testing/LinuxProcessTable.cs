using System.Globalization;
using System.Text;

namespace Serve.Testing;

/// <summary>The process table of Linux, including zombies.</summary>
public static class LinuxProcessTable
{
    /// <summary>State letter of a process; null if it does not exist.</summary>
    public static char? StateOf(int pid) => Stat(pid)?[0][0];

    /// <summary>Parent of a process; null if it does not exist.</summary>
    public static int? ParentOf(int pid) => Stat(pid) is { } stat ? int.Parse(stat[1], CultureInfo.InvariantCulture) : null;

    /// <summary>Child processes, including zombies.</summary>
    public static List<int> ChildrenOf(int pid) => [.. All().Where(child => ParentOf(child) == pid)];

    /// <summary>Processes with an environment variable of this name and value.</summary>
    public static List<int> WithEnvironment(string variable) => [.. All().Where(pid => Environment(pid).Contains(variable))];

    /// <summary>Processes whose command line contains a text.</summary>
    public static List<int> WithCommandLine(string text) => [.. All().Where(pid => CommandLineOf(pid).Contains(text, StringComparison.Ordinal))];

    /// <summary>Command line of a process, with its arguments separated by zeros; empty if it does not exist.</summary>
    public static string CommandLineOf(int pid) => Read($"/proc/{pid}/cmdline") ?? "";

    /// <summary>Ports of 127.0.0.1 and 0.0.0.0 on which a process listens.</summary>
    public static List<int> PortsOf(int pid)
    {
        HashSet<string> sockets = [.. Directory.EnumerateFiles($"/proc/{pid}/fd").Select(fd => new FileInfo(fd).LinkTarget ?? "")];
        return [.. File.ReadLines("/proc/net/tcp").Skip(1)
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            // Local address, state (0A listens) and inode.
            .Where(columns => columns[3] == "0A" && sockets.Contains($"socket:[{columns[9]}]"))
            .Select(columns => int.Parse(columns[1].Split(':')[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture))];
    }

    /// <summary>Waits until all processes have exited. A zombie whose parent is the init process counts as exited.</summary>
    public static Task WaitForExitAsync(IReadOnlyCollection<int> pids, TimeSpan within) => Eventually.TrueAsync(
        () => Task.FromResult(pids.All(HasExited)),
        () => "still running: " + string.Join(", ", pids.Where(pid => !HasExited(pid)).Select(pid => $"{pid} ({StateOf(pid)}, child of {ParentOf(pid)})")),
        within);

    internal static void Kill(int pid) => _ = PosixSignals.Kill(pid, ServeCliProcess.Kill);

    private static bool HasExited(int pid) => Stat(pid) is not { } stat || (stat[0] == "Z" && stat[1] == "1");

    private static IEnumerable<int> All() => Directory.EnumerateDirectories("/proc")
        .Select(folder => int.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out var pid) ? pid : 0)
        .Where(pid => pid > 0);

    private static string[] Environment(int pid) => Read($"/proc/{pid}/environ")?.Split('\0') ?? [];

    // The fields after the name in parentheses, which may contain any character: state, parent, group …
    private static string[]? Stat(int pid) => Read($"/proc/{pid}/stat") is { Length: > 0 } stat ? stat[(stat.LastIndexOf(')') + 2)..].Split(' ') : null;

    private static string? Read(string path)
    {
        try
        {
            return File.ReadAllText(path, Encoding.UTF8);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The process has exited in the meantime, or belongs to another user.
            return null;
        }
    }
}
