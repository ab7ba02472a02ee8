using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Serve.CoreBench;

/// <summary>The measured functions.</summary>
internal static class BenchTasks
{
    [Remote]
    public static int Empty() => 0;

    [Remote]
    public static double NoWork(double[] array) => array[^1];

    [Remote]
    public static double Ten(double x) => x * 10;

    [Remote]
    public static async Task<int> WorkerId(int milliseconds)
    {
        await Task.Delay(milliseconds);
        return Environment.ProcessId;
    }

    /// <summary>Keeps a processor busy for one microsecond.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static double Microsecond(double x)
    {
        for (var i = 0; i < SpinsPerMicrosecond; i++)
            x = Math.FusedMultiplyAdd(x, 1.0000001, 1e-9);
        return x;
    }

    private static int SpinsPerMicrosecond { get; } = Calibrate();

    private static int Calibrate()
    {
        const int Spins = 1_000_000;
        var best = double.MaxValue;
        for (var round = 0; round < 20; round++)
        {
            var x = 1.0;
            var began = Stopwatch.GetTimestamp();
            for (var i = 0; i < Spins; i++)
                x = Math.FusedMultiplyAdd(x, 1.0000001, 1e-9);
            best = Math.Min(best, Stopwatch.GetElapsedTime(began).TotalMicroseconds);
            GC.KeepAlive(x);
        }

        return (int)Math.Round(Spins / best);
    }
}

/// <summary>The measured actor.</summary>
[Remote]
internal sealed class BenchCounter
{
    private int _count;

    public int Increment() => ++_count;
}
