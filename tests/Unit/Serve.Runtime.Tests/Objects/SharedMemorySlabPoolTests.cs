using Microsoft.Extensions.Time.Testing;
using Serve.Runtime.Objects;

namespace Serve.Runtime.Tests.Objects;

/// <summary>Amount, duration and order of idle memory.</summary>
[Collection("Shared memory")]
public sealed class SharedMemorySlabPoolTests : IDisposable
{
    private const long Size = SharedMemorySlab.MinimumBytes;

    private readonly TimerCountingTimeProvider _time = new();
    private readonly SharedMemorySlabPool _pool;

    public SharedMemorySlabPoolTests() => _pool = new(4 * Size, _time);

    public void Dispose() => _pool.Dispose();

    [Fact]
    public void Return_AboveLimit_ReleasesOldest()
    {
        var slabs = Enumerable.Range(0, 6).Select(_ => Make()).ToArray();
        _pool.SetUsed(6 * Size);
        _pool.SetUsed(0);

        foreach (var slab in slabs)
            _pool.Return(slab);

        Assert.Equal(4 * Size, _pool.IdleBytes);
        Assert.Equal([true, true, false, false, false, false], slabs.Select(slab => slab.File.IsClosed));
    }

    [Fact]
    public void Return_AfterDispose_ReleasesSlab()
    {
        var slab = Make();
        _pool.SetUsed(Size);
        _pool.SetUsed(0);
        _pool.Dispose();

        _pool.Return(slab);

        Assert.Equal(0, _pool.IdleBytes);
        Assert.True(slab.File.IsClosed);
        Assert.Null(_pool.TryCreate(0, Size));
    }

    [Fact]
    public void TryCreate_AtMaximum_ReturnsNullUntilOneIsReleased()
    {
        var slabs = new List<SharedMemorySlab>();
        while (slabs.Count <= 1024 && _pool.TryCreate(0, Size) is { } made)
            slabs.Add(made);
        Assert.Equal(1024, slabs.Count);

        _pool.Discard(slabs[0]);

        Assert.True(slabs[0].File.IsClosed);
        slabs[0] = _pool.TryCreate(0, Size)!;
        Assert.NotNull(slabs[0]);
        slabs.ForEach(_pool.Discard);
    }

    [Fact]
    public void Timer_IdleSlabs_Runs()
    {
        Wait();
        _time.Advance(2 * SharedMemorySlabPool.Period);
        Assert.Equal((0, 2), (_pool.IdleBytes, _time.Ticks));

        _time.Advance(3 * SharedMemorySlabPool.Period);
        Assert.Equal(2, _time.Ticks);
        Wait();
        _time.Advance(2 * SharedMemorySlabPool.Period);

        Assert.Equal((0, 4), (_pool.IdleBytes, _time.Ticks));
    }

    [Fact]
    public void Dispose_IdleSlabs_StopsTimer()
    {
        Wait();

        _pool.Dispose();
        _time.Advance(3 * SharedMemorySlabPool.Period);

        Assert.Equal((0, 0), (_pool.IdleBytes, _time.Ticks));
    }

    /// <summary>Makes one slab idle.</summary>
    private void Wait()
    {
        var slab = Make();
        _pool.SetUsed(Size);
        _pool.SetUsed(0);
        _pool.Return(slab);
        Assert.Equal(Size, _pool.IdleBytes);
    }

    private unsafe SharedMemorySlab Make()
    {
        var made = _pool.TryCreate(sizeof(long), Size)!;
        fixed (byte* bytes = new byte[Size])
            Assert.True(made.TryWrite(bytes, Size, sizeof(long)));
        return made;
    }

    private sealed class TimerCountingTimeProvider : FakeTimeProvider
    {
        /// <summary>Number of timer callbacks.</summary>
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
