using System.Buffers.Text;
using System.Diagnostics;

namespace Serve.Dashboard.Sampling;

/// <summary>
/// Reads the resource use of one process. On Linux from <c>/proc</c>: CPU, threads and memory each time; shared memory and open files, which take the kernel longest, each fifth time.
/// Elsewhere from <see cref="Process"/>. Not thread-safe.
/// </summary>
/// <param name="pid">The process.</param>
internal sealed class ProcessUsageReader(int pid)
{
    private const int SlowPeriod = 5;
    private const double TicksPerSecond = 100; // USER_HZ of every Linux that .NET supports.
    private readonly byte[] _stat = ProcFile.PathOf(pid, "stat");
    private readonly byte[] _status = ProcFile.PathOf(pid, "status");
    private readonly byte[] _io = ProcFile.PathOf(pid, "io");
    private readonly string _descriptors = $"/proc/{pid}/fd";
    private int _count = pid % SlowPeriod;
    private long _readAt;
    private double _cpuSeconds = double.NaN;
    private double _readBytes = double.NaN;
    private double _writtenBytes = double.NaN;
    private double _shared = double.NaN;
    private double _openFiles = double.NaN;
    private bool _hasSlow;

    /// <summary>The process.</summary>
    public int Pid => pid;

    /// <summary>Start of the process in clock ticks since boot; a process with another value has reused the id. 0 before the first sample.</summary>
    public long StartTicks { get; private set; }

    /// <summary>Reads a sample.</summary>
    /// <param name="time">Clock.</param>
    /// <param name="usage">The sample.</param>
    /// <returns>Whether the process exists.</returns>
    public bool TryRead(TimeProvider time, out ProcessUsage usage)
    {
        if (!OperatingSystem.IsLinux())
            return TryReadProcess(time, out usage);
        usage = ProcessUsage.Unknown;
        Span<byte> buffer = stackalloc byte[4096];
        var stat = buffer[..ProcFile.Read(_stat, buffer)];
        // The name in parentheses may contain any character.
        var end = stat.LastIndexOf((byte)')');
        if (end < 0)
            return false;
        Span<long> fields = stackalloc long[22];
        if (!TryReadFields(stat[(end + 2)..], fields, out var state) || state is (byte)'Z' or (byte)'X')
            return false;
        // Fields 14 and 15 of stat are the CPU time, 20 threads, 22 the start, 24 resident pages; the first here is the fourth.
        if (StartTicks != 0 && StartTicks != fields[18])
            return false;
        StartTicks = fields[18];
        var seconds = (fields[10] + fields[11]) / TicksPerSecond;
        var threads = (double)fields[16];
        var resident = (double)fields[20] * Environment.SystemPageSize;

        if (!_hasSlow || ++_count % SlowPeriod == 0)
        {
            _hasSlow = true;
            var status = buffer[..ProcFile.Read(_status, buffer)];
            _shared = ProcFile.NumberAfter(status, "RssShmem:"u8) is >= 0 and var kibibytes ? kibibytes * 1024.0 : double.NaN;
            _openFiles = CountDescriptors();
        }

        var io = buffer[..ProcFile.Read(_io, buffer)];
        var readBytes = io.IsEmpty ? double.NaN : ProcFile.NumberAfter(io, "\nread_bytes:"u8);
        var writtenBytes = io.IsEmpty ? double.NaN : ProcFile.NumberAfter(io, "\nwrite_bytes:"u8);

        var now = time.GetTimestamp();
        var interval = _readAt == 0 ? double.NaN : time.GetElapsedTime(_readAt, now).TotalSeconds;
        usage = new()
        {
            Cpu = Rate(_cpuSeconds, seconds, interval),
            ResidentBytes = Math.Max(0, resident - (double.IsNaN(_shared) ? 0 : _shared)),
            SharedBytes = _shared,
            DiskReadRate = Rate(_readBytes, readBytes, interval),
            DiskWriteRate = Rate(_writtenBytes, writtenBytes, interval),
            OpenFiles = _openFiles,
            Threads = threads,
        };
        (_readAt, _cpuSeconds, _readBytes, _writtenBytes) = (now, seconds, readBytes, writtenBytes);
        return true;
    }

    private static double Rate(double before, double after, double interval) => interval > 0 ? Math.Max(0, after - before) / interval : double.NaN;

    // Reads the fields behind the state.
    private static bool TryReadFields(ReadOnlySpan<byte> text, Span<long> fields, out byte state)
    {
        state = text.IsEmpty ? (byte)0 : text[0];
        var rest = text.Length > 2 ? text[2..] : [];
        for (var index = 0; index < fields.Length; index++)
        {
            // The limit of the resident size, for one, can exceed a long.
            if (!Utf8Parser.TryParse(rest, out fields[index], out var used) && !(Utf8Parser.TryParse(rest, out ulong _, out used)))
                return false;
            rest = rest[Math.Min(used + 1, rest.Length)..];
        }

        return true;
    }

    private double CountDescriptors()
    {
        try
        {
            var count = 0;
            foreach (var _ in Directory.EnumerateFileSystemEntries(_descriptors))
                count++;
            return count;
        }
        catch (Exception denied) when (denied is IOException or UnauthorizedAccessException)
        {
            return double.NaN;
        }
    }

    private bool TryReadProcess(TimeProvider time, out ProcessUsage usage)
    {
        usage = ProcessUsage.Unknown;
        try
        {
            using var process = Process.GetProcessById(pid);
            var seconds = process.TotalProcessorTime.TotalSeconds;
            var now = time.GetTimestamp();
            usage = ProcessUsage.Unknown with
            {
                Cpu = _readAt == 0 ? double.NaN : Rate(_cpuSeconds, seconds, time.GetElapsedTime(_readAt, now).TotalSeconds),
                ResidentBytes = process.WorkingSet64,
                Threads = process.Threads.Count,
            };
            (_readAt, _cpuSeconds) = (now, seconds);
            return true;
        }
        catch (Exception gone) when (gone is ArgumentException or InvalidOperationException or System.ComponentModel.Win32Exception or NotSupportedException)
        {
            return false;
        }
    }
}
