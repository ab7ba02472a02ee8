namespace Serve.Runtime.TestWorker;

/// <summary>Tasks on large arrays and on values with other serialization formats.</summary>
public static partial class ArrayJobs
{
    private static readonly List<object> Kept = [];

    /// <summary>Returns the value of all elements; NaN if they differ.</summary>
    [Remote]
    public static double Single(double[] array) => array.AsSpan().ContainsAnyExcept(array[0]) ? double.NaN : array[0];

    [Remote]
    public static double First(double[] array) => array[0];

    [Remote]
    public static double FirstOfMemory(ReadOnlyMemory<double> memory) => memory.Span[0];

    [Remote]
    public static double Corner(double[,] array) => array[0, 0] + array[array.GetLength(0) - 1, array.GetLength(1) - 1];

    [Remote]
    public static double[] Numbers(int count, double value)
    {
        var array = new double[count];
        Array.Fill(array, value);
        return array;
    }

    [Remote]
    public static (string Name, double[] Values) Named(string name, int count) => (name, Numbers(count, 2));

    /// <summary>True if the array's pages belong to a shared segment.</summary>
    [Remote]
    public static bool IsMapped(double[] array) => HasPagesOfASegment(array);

    /// <summary>True if the pages of the memory belong to a shared segment.</summary>
    [Remote]
    public static bool IsMemoryMapped(ReadOnlyMemory<double> memory) => HasPagesOfASegment(memory.Span);

    /// <summary>Keeps an array in this worker and returns the number of kept arrays.</summary>
    [Remote]
    public static int Keep(double[] array)
    {
        Kept.Add(array);
        return Kept.Count;
    }

    /// <summary>Stores an array, keeps the reference and returns its address.</summary>
    [Remote]
    public static int PutAndKeep(int count)
    {
        Kept.Add(Cluster.Current.Put(Numbers(count, 1)));
        return Environment.ProcessId;
    }

    /// <summary>Stores an array, keeps the reference and frees the object.</summary>
    [Remote]
    public static double PutAndFree(double[] array)
    {
        var reference = Cluster.Current.Put(array);
        Kept.Add(reference);
        Cluster.Current.Free(reference);
        return array[0];
    }

    /// <summary>Middle elements of the kept arrays, which are located in mapped pages.</summary>
    [Remote]
    public static double[] MiddleOfKept() => [.. Kept.Cast<double[]>().Select(array => array[array.Length / 2])];

    /// <summary>Releases the kept arrays.</summary>
    [Remote]
    public static int Drop()
    {
        Kept.Clear();
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return Kept.Count;
    }

    [Remote]
    public static int Reveal(SealedTestValue value) => value.Reveal();

    /// <summary>Size of the anonymous memory files that this worker has open.</summary>
    [Remote]
    public static int OpenMemory() =>
        Directory.GetFiles("/proc/self/fd").Count(file => new FileInfo(file).LinkTarget?.Contains("memfd:serve-", StringComparison.Ordinal) == true);

    private static unsafe bool HasPagesOfASegment(ReadOnlySpan<double> span)
    {
        fixed (double* start = span)
        {
            var middle = (long)(start + (span.Length / 2));
            return File.ReadLines("/proc/self/maps").Where(line => line.Contains("memfd:serve-", StringComparison.Ordinal)).Select(line => line.Split(' ')[0].Split('-'))
                .Any(ends => Convert.ToInt64(ends[0], 16) <= middle && middle < Convert.ToInt64(ends[1], 16));
        }
    }
}
