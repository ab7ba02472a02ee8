using System.Globalization;

namespace Serve.CoreBench;

/// <summary>Memory of this process and its child processes, and all shared memory of the machine, mapped or not.</summary>
internal static class ProcessTreeMemory
{
    public static long OfTree() => Children().Append("self").Sum(process => Read($"/proc/{process}/smaps_rollup", "Pss_Anon:")) + Read("/proc/meminfo", "Shmem:");

    public static IReadOnlyList<string> Children() =>
    [
        .. Directory.GetDirectories("/proc/self/task")
            .SelectMany(task => File.ReadAllText($"{task}/children").Split(' ', StringSplitOptions.RemoveEmptyEntries)),
    ];

    private static long Read(string file, string name)
    {
        try
        {
            var line = File.ReadLines(file).First(line => line.StartsWith(name, StringComparison.Ordinal));
            return long.Parse(line.AsSpan(name.Length, line.Length - name.Length - "kB".Length), CultureInfo.InvariantCulture) * 1024;
        }
        catch (IOException)
        {
            // The process has exited in the meantime.
            return 0;
        }
    }
}
