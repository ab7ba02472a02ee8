using System.Diagnostics;

namespace Serve.Replica.Tests.Fixtures;

/// <summary>Waits for a condition, within a bound.</summary>
public static class Eventually
{
    public static Task TrueAsync(Func<bool> condition, Func<string>? state = null) => TrueAsync(() => Task.FromResult(condition()), state);

    public static async Task TrueAsync(Func<Task<bool>> condition, Func<string>? state = null)
    {
        var started = Stopwatch.GetTimestamp();
        while (!await condition())
        {
            Assert.True(Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(10), state?.Invoke() ?? "The condition did not become true in time.");
            await Task.Delay(5);
        }
    }
}
