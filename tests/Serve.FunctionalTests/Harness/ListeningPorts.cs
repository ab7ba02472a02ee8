using System.Globalization;

namespace Serve.FunctionalTests.Harness;

/// <summary>The TCP ports a process listens on, as Linux tells them.</summary>
internal static class ListeningPorts
{
    public static List<int> Of(int pid)
    {
        var sockets = Directory.EnumerateFiles($"/proc/{pid.ToString(CultureInfo.InvariantCulture)}/fd")
            .Select(file => new FileInfo(file).LinkTarget)
            .Where(target => target?.StartsWith("socket:[", StringComparison.Ordinal) == true)
            .Select(target => target![8..^1])
            .ToHashSet();
        // Columns of /proc/net/tcp: local address, then state (0A listens), then the socket's inode.
        return [.. File.ReadLines("/proc/net/tcp").Skip(1)
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Where(columns => columns[3] == "0A" && sockets.Contains(columns[9]))
            .Select(columns => int.Parse(columns[1].Split(':')[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture))];
    }
}
