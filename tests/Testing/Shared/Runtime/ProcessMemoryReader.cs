using System.Globalization;

namespace Serve.Runtime.Testing;

/// <summary>Memory use of processes.</summary>
internal static class ProcessMemoryReader
{
    /// <summary>Proportional set size of this process and its children: a shared page counts once in total.</summary>
    public static long OfTree() => Tree(Environment.ProcessId).Sum(Of);

    private static IEnumerable<int> Tree(int process) =>
        [process, .. Directory.GetDirectories($"/proc/{process}/task").SelectMany(Children).SelectMany(Tree)];

    private static IEnumerable<int> Children(string thread)
    {
        try
        {
            return File.ReadAllText($"{thread}/children").Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(id => int.Parse(id, CultureInfo.InvariantCulture));
        }
        catch (IOException)
        {
            // The thread has exited.
            return [];
        }
    }

    private static long Of(int process)
    {
        var line = File.ReadLines($"/proc/{process}/smaps_rollup").First(line => line.StartsWith("Pss:", StringComparison.Ordinal));
        return 1024 * long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
    }
}
