namespace Serve.Runtime.Tests.Testing;

/// <summary>Waits for a condition with a bound, and says what was seen when it passes.</summary>
internal static class Eventually
{
    public static readonly TimeSpan Bound = TimeSpan.FromSeconds(20);

    public static Task TrueAsync(Func<bool> condition, Func<string>? describe = null, TimeSpan? within = null) =>
        TrueAsync(() => Task.FromResult(condition()), describe, within);

    public static async Task TrueAsync(Func<Task<bool>> condition, Func<string>? describe = null, TimeSpan? within = null)
    {
        using var bound = new CancellationTokenSource(within ?? Bound);
        while (!await condition())
        {
            if (bound.IsCancellationRequested)
                Assert.Fail($"Did not happen within {within ?? Bound}: {describe?.Invoke()}");
            await Task.Delay(10, CancellationToken.None);
        }
    }

    public static Task<T> SoonAsync<T>(this Task<T> task) => task.WaitAsync(Bound);

    public static Task SoonAsync(this Task task) => task.WaitAsync(Bound);

    public static Task<T> SoonAsync<T>(this ValueTask<T> task) => task.AsTask().WaitAsync(Bound);

    public static Task SoonAsync(this ValueTask task) => task.AsTask().WaitAsync(Bound);
}
