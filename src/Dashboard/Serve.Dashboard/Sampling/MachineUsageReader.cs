using System.Buffers.Text;

namespace Serve.Dashboard.Sampling;

/// <summary>Resource use of the machine, or of the container of this process if that has limits. Unknown values are NaN. Not thread-safe.</summary>
/// <param name="folder">A folder on the disk to report, for example the state directory.</param>
internal sealed class MachineUsageReader(string folder)
{
    private const double TicksPerSecond = 100;
    private static readonly byte[] CgroupMemory = "/sys/fs/cgroup/memory.current\0"u8.ToArray();
    private static readonly byte[] CgroupMemoryLimit = "/sys/fs/cgroup/memory.max\0"u8.ToArray();
    private static readonly byte[] CgroupMemoryStatistics = "/sys/fs/cgroup/memory.stat\0"u8.ToArray();
    private static readonly byte[] CgroupCpu = "/sys/fs/cgroup/cpu.stat\0"u8.ToArray();
    private static readonly byte[] MachineMemory = "/proc/meminfo\0"u8.ToArray();
    private static readonly byte[] MachineCpu = "/proc/stat\0"u8.ToArray();
    private readonly byte[] _buffer = new byte[8192];
    private long _readAt;
    private double _cpuSeconds = double.NaN;

    /// <summary>Reads a sample.</summary>
    /// <param name="time">Clock.</param>
    public MachineUsage Read(TimeProvider time)
    {
        var (memoryTotal, memoryUsed) = ReadMemory();
        var (diskTotal, diskUsed) = ReadDisk();
        var seconds = ReadCpuSeconds();
        var now = time.GetTimestamp();
        var cpu = _readAt == 0 ? double.NaN : Math.Max(0, seconds - _cpuSeconds) / time.GetElapsedTime(_readAt, now).TotalSeconds;
        (_readAt, _cpuSeconds) = (now, seconds);
        return new(cpu, memoryTotal, memoryUsed, diskTotal, diskUsed);
    }

    private ReadOnlySpan<byte> ReadFile(byte[] path) => _buffer.AsSpan(0, ProcFile.Read(path, _buffer));

    private (double Total, double Used) ReadMemory()
    {
        if (!OperatingSystem.IsLinux())
        {
            var memory = GC.GetGCMemoryInfo();
            return (memory.TotalAvailableMemoryBytes, memory.MemoryLoadBytes);
        }

        var machine = ReadFile(MachineMemory);
        var total = ProcFile.NumberAfter(machine, "MemTotal:"u8) * 1024.0;
        var used = total - (ProcFile.NumberAfter(machine, "MemAvailable:"u8) * 1024.0);
        if (!Utf8Parser.TryParse(ReadFile(CgroupMemoryLimit), out long limit, out _) || limit >= total || !Utf8Parser.TryParse(ReadFile(CgroupMemory), out long current, out _))
            return (total, used);
        // The kernel frees cached pages of files when memory is short.
        var cached = ProcFile.NumberAfter(ReadFile(CgroupMemoryStatistics), "inactive_file "u8);
        return (limit, Math.Max(0, current - Math.Max(0, cached)));
    }

    private double ReadCpuSeconds()
    {
        if (!OperatingSystem.IsLinux())
            return double.NaN;
        if (ProcFile.NumberAfter(ReadFile(CgroupCpu), "usage_usec "u8) is > 0 and var microseconds)
            return microseconds / 1e6;
        // "cpu", then user, nice, system, idle, iowait, irq, softirq, steal.
        var rest = ReadFile(MachineCpu)[3..];
        double ticks = 0;
        for (var index = 0; index < 8; index++)
        {
            rest = rest.TrimStart(" "u8);
            if (!Utf8Parser.TryParse(rest, out long number, out var used))
                break;
            if (index is not (3 or 4))
                ticks += number;
            rest = rest[used..];
        }

        return ticks / TicksPerSecond;
    }

    private (double Total, double Used) ReadDisk()
    {
        try
        {
            var drive = new DriveInfo(folder);
            return (drive.TotalSize, drive.TotalSize - drive.TotalFreeSpace);
        }
        catch (Exception unknown) when (unknown is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return (double.NaN, double.NaN);
        }
    }
}

/// <summary>Resource use of a machine.</summary>
/// <param name="Cpu">CPU cores in use; NaN in the first sample.</param>
/// <param name="MemoryTotal">Memory in bytes.</param>
/// <param name="MemoryUsed">Memory in use in bytes, without caches.</param>
/// <param name="DiskTotal">Size of the disk in bytes.</param>
/// <param name="DiskUsed">Used part of the disk in bytes.</param>
internal readonly record struct MachineUsage(double Cpu, double MemoryTotal, double MemoryUsed, double DiskTotal, double DiskUsed);
