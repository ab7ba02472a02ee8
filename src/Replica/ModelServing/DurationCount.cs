using Serve.Inference;

namespace Serve.Replica.ModelServing;

/// <summary>How often something happened and how long it took in all. Any thread may add.</summary>
internal sealed class DurationCount
{
    private long count;
    private long ticks;

    public void Add(TimeSpan duration, long times = 1)
    {
        Interlocked.Add(ref count, times);
        Interlocked.Add(ref ticks, duration.Ticks * times);
    }

    public DurationStatistic Read() => new(Interlocked.Read(ref count), Interlocked.Read(ref ticks) * TimeSpan.NanosecondsPerTick);
}
