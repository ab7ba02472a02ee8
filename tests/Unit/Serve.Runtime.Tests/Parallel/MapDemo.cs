namespace Serve.Runtime.Tests.Parallel;

/// <summary>Functions for map tests.</summary>
internal static class MapDemo
{
    [Remote]
    public static double Square(double x) => x < 0 ? throw new FormatException("no root") : x * x;

    [Remote]
    public static async Task<int> Next(int x, CancellationToken stop)
    {
        await Task.Yield();
        stop.ThrowIfCancellationRequested();
        return x + 1;
    }

    [Remote]
    public static void Nothing(string text) => ArgumentException.ThrowIfNullOrEmpty(text);
}
