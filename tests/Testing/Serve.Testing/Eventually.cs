using System.Diagnostics;

namespace Serve.Testing;

/// <summary>Waits for conditions, with a bound, and tells the last that was seen when the bound passes.</summary>
public static class Eventually
{
    private static readonly TimeSpan Default = TimeSpan.FromSeconds(30);

    public static Task TrueAsync(Func<bool> condition, string what, TimeSpan? within = null) =>
        TrueAsync(() => Task.FromResult(condition()), () => what, within);

    public static async Task TrueAsync(Func<Task<bool>> condition, Func<string> what, TimeSpan? within = null)
    {
        var watch = Stopwatch.StartNew();
        while (!await condition())
        {
            if (watch.Elapsed > (within ?? Default))
                Assert.Fail($"Not within {(within ?? Default).TotalSeconds} s: {what()}");
            await Task.Delay(10);
        }
    }
}
