namespace Serve.Inference.Models;

/// <summary>How often something happened and how long it took in all. Any thread may add.</summary>
internal sealed class DurationAccumulator
{
    private long _count;
    private long _ticks;

    public void Add(TimeSpan duration, long times = 1)
    {
        Interlocked.Add(ref _count, times);
        Interlocked.Add(ref _ticks, duration.Ticks * times);
    }

    public DurationStatistic Read() => new(Interlocked.Read(ref _count), Interlocked.Read(ref _ticks) * TimeSpan.NanosecondsPerTick);
}
