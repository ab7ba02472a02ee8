using System.Globalization;

namespace Serve.FunctionalTests.Harness;

/// <summary>Processes as Linux tells them, defunct ones included.</summary>
internal static class ProcessTable
{
    /// <summary>The state letter of a process; null when there is none of that id.</summary>
    public static char? StateOf(int pid)
    {
        try
        {
            var stat = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/stat"));
            return stat[stat.LastIndexOf(')') + 2];
        }
        catch (IOException)
        {
            return null;
        }
    }

    /// <summary>The children of a process, defunct ones included.</summary>
    public static List<int> ChildrenOf(int pid)
    {
        List<int> children = [];
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out var child))
                continue;
            try
            {
                var stat = File.ReadAllText(Path.Combine(folder, "stat"));
                if (stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[1] == pid.ToString(CultureInfo.InvariantCulture))
                    children.Add(child);
            }
            catch (IOException)
            {
                // It ended while we looked.
            }
        }

        return children;
    }

    public static Task GoneAsync(IReadOnlyCollection<int> pids, TimeSpan within) => Eventually.TrueAsync(
        () => Task.FromResult(pids.All(pid => StateOf(pid) is null)),
        () => "still there: " + string.Join(", ", pids.Where(pid => StateOf(pid) is not null).Select(pid => $"{pid} ({StateOf(pid)})")),
        within);
}
