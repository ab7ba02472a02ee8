using Microsoft.Extensions.Time.Testing;
using Serve.Runtime.Objects;

namespace Serve.Runtime.Tests.Objects;

/// <summary>How much memory waits, how long, and what goes first.</summary>
[Collection("Shared memory")]
public sealed class SlabPoolTests : IDisposable
{
    private const long Size = Slab.Least;

    private readonly CountingTime time = new();
    private readonly SlabPool pool;

    public SlabPoolTests() => pool = new(4 * Size, time);

    public void Dispose() => pool.Dispose();

    [Fact]
    public void Return_MoreThanTheStoreMayHave_TheOldestGo()
    {
        var slabs = Enumerable.Range(0, 6).Select(_ => Make()).ToArray();
        pool.SetUsed(6 * Size);
        pool.SetUsed(0);

        foreach (var slab in slabs)
            pool.Return(slab);

        Assert.Equal(4 * Size, pool.IdleBytes);
        Assert.Equal([true, true, false, false, false, false], slabs.Select(slab => slab.File.IsClosed));
    }

    [Fact]
    public void Return_AfterDispose_GoesBackAtOnce()
    {
        var slab = Make();
        pool.SetUsed(Size);
        pool.SetUsed(0);
        pool.Dispose();

        pool.Return(slab);

        Assert.Equal(0, pool.IdleBytes);
        Assert.True(slab.File.IsClosed);
        Assert.Null(pool.TryMake(0, Size));
    }

    [Fact]
    public void TryMake_AsManyAsMayBe_NoMoreUntilOneIsGivenUp()
    {
        var slabs = new List<Slab>();
        while (slabs.Count <= 1024 && pool.TryMake(0, Size) is { } made)
            slabs.Add(made);
        Assert.Equal(1024, slabs.Count);

        pool.Discard(slabs[0]);

        Assert.True(slabs[0].File.IsClosed);
        slabs[0] = pool.TryMake(0, Size)!;
        Assert.NotNull(slabs[0]);
        slabs.ForEach(pool.Discard);
    }

    [Fact]
    public void Timer_RunsWhileSomethingWaits()
    {
        Wait();
        time.Advance(2 * SlabPool.Period);
        Assert.Equal((0, 2), (pool.IdleBytes, time.Ticks));

        time.Advance(3 * SlabPool.Period);
        Assert.Equal(2, time.Ticks);
        Wait();
        time.Advance(2 * SlabPool.Period);

        Assert.Equal((0, 4), (pool.IdleBytes, time.Ticks));
    }

    [Fact]
    public void Dispose_SomethingWaits_TimerStops()
    {
        Wait();

        pool.Dispose();
        time.Advance(3 * SlabPool.Period);

        Assert.Equal((0, 0), (pool.IdleBytes, time.Ticks));
    }

    /// <summary>Something was in use and is not any more.</summary>
    private void Wait()
    {
        var slab = Make();
        pool.SetUsed(Size);
        pool.SetUsed(0);
        pool.Return(slab);
        Assert.Equal(Size, pool.IdleBytes);
    }

    private unsafe Slab Make()
    {
        var made = pool.TryMake(sizeof(long), Size)!;
        fixed (byte* bytes = new byte[Size])
            Assert.True(made.TryWrite(bytes, Size, sizeof(long)));
        return made;
    }

    private sealed class CountingTime : FakeTimeProvider
    {
        /// <summary>How often timers went off.</summary>
        public int Ticks { get; private set; }

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => base.CreateTimer(
            known =>
            {
                Ticks++;
                callback(known);
            },
            state,
            dueTime,
            period);
    }
}
