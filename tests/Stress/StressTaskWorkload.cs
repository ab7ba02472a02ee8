namespace Serve.Stress;

/// <summary>Tasks of all kinds, in this process and in workers, each with its expected result.</summary>
internal sealed class StressTaskWorkload(Cluster ray, StressCheckResults verdict, int seed)
{
    private readonly Random _random = new(seed);
    private int _ended;

    /// <summary>Number of completed tasks.</summary>
    public int Ended => Volatile.Read(ref _ended);

    /// <summary>Starts a random task and checks its result.</summary>
    public Task OneAsync()
    {
        var x = (long)_random.Next(1_000_000);
        var options = new TaskOptions { Isolation = _random.Next(2) == 0 ? Isolation.None : Isolation.Process };
        var kind = _random.Next(100);
        var patience = _random.Next(50);
        return CheckedAsync($"{options.Isolation} {kind} {x}", () => kind switch
        {
            < 40 => ValueAsync(ray.StressTasks.Square.Options(options).Remote(x), x * x),
            < 60 => ValueAsync(ray.StressTasks.Later.Options(options).Remote(x), x + 1),
            < 80 => ValueAsync(ray.StressTasks.Add.Options(options).Remote(ray.StressTasks.Square.Options(options).Remote(x), ray.Put(7L)), (x * x) + 7),
            < 84 => ValueAsync(ray.StressTasks.Sum.Options(options).Remote(ray.StressTasks.Fill.Options(options).Remote(50_000, x)), 50_000.0 * x),
            < 90 => ValueAsync(ray.StressTasks.Nested.Options(options).Remote(x), (3 * x * x) + (6 * x) + 5),
            < 94 => ThrowsAsync(ray.StressTasks.Throws.Options(options).Remote(x), $"bad {x}"),
            < 97 => StreamAsync(ray.StressTasks.Count.Options(options).Remote(x % 50), x % 50),
            _ => CancelledAsync(ray.StressTasks.Forever.Options(options).Remote(), patience),
        });
    }

    private async Task CheckedAsync(string what, Func<Task<string?>> run)
    {
        try
        {
            var wrong = await run();
            verdict.Check(wrong is null, () => $"task {what}: {wrong}");
        }
        catch (Exception thrown)
        {
            verdict.Fail($"task {what}: {thrown}");
        }

        Interlocked.Increment(ref _ended);
    }

    private static async Task<string?> ValueAsync<T>(ObjectRef<T> reference, T expected)
    {
        var value = await reference;
        return Equals(value, expected) ? null : $"{value} instead of {expected}";
    }

    private static async Task<string?> ThrowsAsync(ObjectRef<long> reference, string message)
    {
        try
        {
            return $"{await reference} instead of an exception";
        }
        catch (FormatException thrown)
        {
            return thrown.Message == message ? null : $"threw {thrown.Message} instead of {message}";
        }
    }

    private static async Task<string?> StreamAsync(ObjectRefStream<long> stream, long count)
    {
        var next = 0L;
        await foreach (var item in stream)
        {
            var value = await item;
            if (value != next++)
                return $"item {next - 1} is {value}";
        }

        return next == count ? null : $"{next} items instead of {count}";
    }

    private async Task<string?> CancelledAsync(ObjectRef<long> reference, int patience)
    {
        await Task.Delay(patience);
        ray.Cancel(reference);
        try
        {
            return $"{await reference} instead of cancelled";
        }
        catch (OperationCanceledException)
        {
            return null;
        }
    }
}
