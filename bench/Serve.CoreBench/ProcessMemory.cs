using System.Globalization;

namespace Serve.CoreBench;

/// <summary>Memory of this process and those it started, pages that several of them map counted once.</summary>
internal static class ProcessMemory
{
    public static long OfTree() => Children().Append("self").Sum(Proportional);

    public static IReadOnlyList<string> Children() =>
    [
        .. Directory.GetDirectories("/proc/self/task")
            .SelectMany(task => File.ReadAllText($"{task}/children").Split(' ', StringSplitOptions.RemoveEmptyEntries)),
    ];

    private static long Proportional(string process)
    {
        try
        {
            var line = File.ReadLines($"/proc/{process}/smaps_rollup").First(line => line.StartsWith("Pss:", StringComparison.Ordinal));
            return long.Parse(line.AsSpan(4, line.Length - 6), CultureInfo.InvariantCulture) * 1024;
        }
        catch (IOException)
        {
            return 0;
        }
    }
}
