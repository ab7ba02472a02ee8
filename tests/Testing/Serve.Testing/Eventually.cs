using System.Diagnostics;

namespace Serve.Testing;

/// <summary>Waits for conditions and tasks with a time limit.</summary>
public static class Eventually
{
    /// <summary>Default time limit: long enough for a heavily loaded machine, because it only matters when a test fails.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    /// <summary>Polls a condition until it is true.</summary>
    /// <param name="condition">The condition.</param>
    /// <param name="state">Describes the last observed state for the error message.</param>
    /// <param name="timeout">Time limit; <see cref="Limit"/> by default.</param>
    /// <exception cref="TimeoutException">The condition was not true within the time limit.</exception>
    public static Task TrueAsync(Func<bool> condition, Func<string>? state = null, TimeSpan? timeout = null) =>
        PollAsync(() => Task.FromResult(condition()), state, timeout ?? Limit, interval: 1);

    /// <inheritdoc cref="TrueAsync(Func{bool}, Func{string}?, TimeSpan?)"/>
    public static Task TrueAsync(Func<Task<bool>> condition, Func<string>? state = null, TimeSpan? timeout = null) =>
        PollAsync(condition, state, timeout ?? Limit, interval: 5);

    /// <summary>Waits for a task with the default time limit.</summary>
    public static Task<T> SoonAsync<T>(this Task<T> task) => task.WaitAsync(Limit);

    /// <inheritdoc cref="SoonAsync{T}(Task{T})"/>
    public static Task SoonAsync(this Task task) => task.WaitAsync(Limit);

    /// <inheritdoc cref="SoonAsync{T}(Task{T})"/>
    public static Task<T> SoonAsync<T>(this ValueTask<T> task) => task.AsTask().WaitAsync(Limit);

    /// <inheritdoc cref="SoonAsync{T}(Task{T})"/>
    public static Task SoonAsync(this ValueTask task) => task.AsTask().WaitAsync(Limit);

    private static async Task PollAsync(Func<Task<bool>> condition, Func<string>? state, TimeSpan timeout, int interval)
    {
        var started = Stopwatch.GetTimestamp();
        while (!await condition())
        {
            if (Stopwatch.GetElapsedTime(started) > timeout)
                throw new TimeoutException($"The condition was not true within {timeout.TotalSeconds} s. {state?.Invoke()}");
            await Task.Delay(interval);
        }
    }
}
