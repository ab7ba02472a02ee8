namespace Serve.Workflows.Execution;

/// <summary>
/// A clock that never goes back: neither when the system's clock is set back while the host runs, nor between two hosts of one store. It follows the system's clock forward, and the
/// monotonic clock otherwise.
/// </summary>
internal sealed class DurableClock(TimeProvider time, DateTimeOffset floor)
{
    private readonly long _anchor = time.GetTimestamp();
    private readonly DateTimeOffset _start = Max(time.GetUtcNow(), floor);
    private long _last;

    public DateTimeOffset Now
    {
        get
        {
            var now = Max(time.GetUtcNow(), _start + time.GetElapsedTime(_anchor)).UtcTicks;
            var last = Volatile.Read(ref _last);
            while (now > last)
            {
                var seen = Interlocked.CompareExchange(ref _last, now, last);
                if (seen == last)
                    return new(now, TimeSpan.Zero);
                last = seen;
            }

            return new(last, TimeSpan.Zero);
        }
    }

    private static DateTimeOffset Max(DateTimeOffset a, DateTimeOffset b) => a > b ? a : b;
}
