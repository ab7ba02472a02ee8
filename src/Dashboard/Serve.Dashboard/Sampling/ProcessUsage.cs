namespace Serve.Dashboard.Sampling;

/// <summary>Resource use of one process. Values that are unknown are NaN.</summary>
internal readonly record struct ProcessUsage
{
    /// <summary>CPU cores in use since the previous sample; NaN in the first.</summary>
    public double Cpu { get; init; }

    /// <summary>Resident memory without shared memory segments, in bytes: those would be counted in each process that maps them.</summary>
    public double ResidentBytes { get; init; }

    /// <summary>Resident pages of shared memory segments, in bytes.</summary>
    public double SharedBytes { get; init; }

    /// <summary>Bytes per second read from disks; NaN if the process belongs to another user.</summary>
    public double DiskReadRate { get; init; }

    /// <summary>Bytes per second written to disks.</summary>
    public double DiskWriteRate { get; init; }

    /// <summary>Number of open files.</summary>
    public double OpenFiles { get; init; }

    /// <summary>Number of threads.</summary>
    public double Threads { get; init; }

    /// <summary>A process of which nothing is known.</summary>
    public static ProcessUsage Unknown { get; } = new()
    {
        Cpu = double.NaN, ResidentBytes = double.NaN, SharedBytes = double.NaN, DiskReadRate = double.NaN, DiskWriteRate = double.NaN, OpenFiles = double.NaN, Threads = double.NaN,
    };
}
