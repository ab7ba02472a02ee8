namespace Serve.Stress;

/// <summary>Tasks whose results follow from their arguments.</summary>
internal static class StressTasks
{
    [Remote(MaxRetries = -1)]
    public static long Square(long x) => x * x;

    [Remote(MaxRetries = -1)]
    public static async Task<long> Later(long x, CancellationToken stop)
    {
        await Task.Delay((int)(x % 20), stop);
        return x + 1;
    }

    [Remote(MaxRetries = -1)]
    public static long Add(long x, long y) => x + y;

    [Remote(MaxRetries = -1)]
    public static double[] Fill(int count, double value)
    {
        var array = new double[count];
        array.AsSpan().Fill(value);
        return array;
    }

    [Remote(MaxRetries = -1)]
    public static double Sum(double[] array) => array.Sum();

    [Remote(MaxRetries = -1)]
    public static async Task<long> Nested(long x)
    {
        var ray = Cluster.Current;
        var parts = await ray.Get(Enumerable.Range(0, 3).Select(i => ray.StressTasks.Square.Remote(x + i)));
        return parts.Sum();
    }

    [Remote(MaxRetries = -1)]
    public static long Throws(long x) => throw new FormatException($"bad {x}");

    [Remote(MaxRetries = -1)]
    public static async IAsyncEnumerable<long> Count(long to)
    {
        for (var i = 0L; i < to; i++)
        {
            yield return i;
            await Task.Yield();
        }
    }

    [Remote(MaxRetries = -1)]
    public static async Task<long> Forever(CancellationToken stop)
    {
        await Task.Delay(Timeout.Infinite, stop);
        return 0;
    }
}
