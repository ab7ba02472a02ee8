using System.Diagnostics;

namespace Serve.Tests;

/// <summary>Waits for a condition, with a bound.</summary>
internal static class Eventually
{
    public static async Task TrueAsync(Func<bool> condition, Func<string>? state = null)
    {
        var clock = Stopwatch.StartNew();
        while (!condition())
        {
            if (clock.Elapsed > TimeSpan.FromSeconds(20))
                Assert.Fail($"Not within {clock.Elapsed}: {state?.Invoke()}");
            await Task.Delay(1);
        }
    }
}
