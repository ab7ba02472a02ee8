using System.Globalization;

namespace Serve.Runtime.Execution;

/// <summary>Reads the memory limit and use of the machine or container; 0 if the system does not report a value.</summary>
public static class SystemMemoryReader
{
    // Control groups version 2, then version 1. Inactive file pages do not count, because the system can reclaim them.
    private static readonly (string Limit, string Usage, string Statistics, string Inactive)[] Groups =
    [
        ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current", "/sys/fs/cgroup/memory.stat", "inactive_file"),
        ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes", "/sys/fs/cgroup/memory/memory.stat", "total_inactive_file"),
    ];

    /// <summary>The machine's memory, or the container's where that is less.</summary>
    public static SystemMemoryUsage Read()
    {
        var machine = ReadMachine();
        foreach (var (limit, usage, statistics, inactive) in Groups)
        {
            if (Number(limit) is { } total && Number(usage) is { } used && (machine.Total == 0 || total < machine.Total))
                return new(Math.Max(0, used - (Field(statistics, inactive) ?? 0)), total);
        }

        return machine;
    }

    /// <summary>The resident bytes of a process.</summary>
    public static long ResidentOf(int pid)
    {
        const int Pages = 1;
        try
        {
            return long.Parse(File.ReadAllText($"/proc/{pid}/statm").Split(' ')[Pages], CultureInfo.InvariantCulture) * Environment.SystemPageSize;
        }
        catch (Exception thrown) when (thrown is IOException or UnauthorizedAccessException)
        {
            return 0;
        }
    }

    private static SystemMemoryUsage ReadMachine()
    {
        const string File = "/proc/meminfo";
        return Field(File, "MemTotal:") is { } total && Field(File, "MemAvailable:") is { } available ? new((total - available) << 10, total << 10) : default;
    }

    private static long? Number(string file) => TryRead(file) is { } text && long.TryParse(text, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static long? Field(string file, string name)
    {
        foreach (var line in (TryRead(file) ?? "").Split('\n'))
        {
            var parts = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (parts.Length > 1 && parts[0] == name && long.TryParse(parts[1], CultureInfo.InvariantCulture, out var number))
                return number;
        }

        return null;
    }

    private static string? TryRead(string file)
    {
        try
        {
            return File.ReadAllText(file);
        }
        catch (Exception thrown) when (thrown is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
