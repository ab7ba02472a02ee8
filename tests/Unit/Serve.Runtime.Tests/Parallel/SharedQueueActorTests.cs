using Serve.Runtime.Parallel;

namespace Serve.Runtime.Tests.Parallel;

public sealed class SharedQueueActorTests
{
    private static readonly TimeSpan Never = TimeSpan.Zero;

    [Fact]
    public async Task Take_AfterPuts_IsFirstInFirstOut()
    {
        var queue = new SharedQueueActor<int>(0);
        for (var i = 0; i < 3; i++)
            await queue.Put(i, null, default);

        Assert.Equal(3, queue.Size());
        Assert.Equal((true, 0), await queue.Take(Never, default));
        Assert.Equal((true, 1), await queue.Take(Never, default));
        Assert.Equal((true, 2), await queue.Take(Never, default));
        Assert.Equal((false, 0), await queue.Take(Never, default));
    }

    [Fact]
    public async Task Take_Empty_WaitsForPut()
    {
        var queue = new SharedQueueActor<string>(0);

        var first = queue.Take(null, default);
        var second = queue.Take(null, default);
        Assert.False(first.IsCompleted);
        await queue.Put("a", null, default);
        await queue.Put("b", null, default);

        Assert.Equal((true, "a"), await first);
        Assert.Equal((true, "b"), await second);
        Assert.Equal(0, queue.Size());
    }

    [Fact]
    public async Task Take_TimesOut_RemovesNothing()
    {
        var queue = new SharedQueueActor<int>(0);

        Assert.Equal((false, 0), await queue.Take(TimeSpan.FromMilliseconds(5), default));
        await queue.Put(7, null, default);

        Assert.Equal((true, 7), await queue.Take(Never, default));
    }

    [Fact]
    public async Task Put_Full_WaitsInOrder()
    {
        var queue = new SharedQueueActor<int>(1);
        Assert.True(await queue.Put(1, Never, default));
        Assert.False(await queue.Put(2, Never, default));

        var two = queue.Put(2, null, default);
        var three = queue.Put(3, null, default);
        Assert.False(two.IsCompleted);

        Assert.Equal((true, 1), await queue.Take(Never, default));
        Assert.True(await two);
        Assert.False(three.IsCompleted);
        Assert.Equal((true, 2), await queue.Take(Never, default));
        Assert.True(await three);
        Assert.Equal((true, 3), await queue.Take(Never, default));
    }

    [Fact]
    public async Task Put_TimesOut_AddsNothing()
    {
        var queue = new SharedQueueActor<int>(1);
        await queue.Put(1, null, default);

        Assert.False(await queue.Put(2, TimeSpan.FromMilliseconds(5), default));

        Assert.Equal((true, 1), await queue.Take(Never, default));
        Assert.Equal((false, 0), await queue.Take(Never, default));
    }

    [Fact]
    public async Task Take_Canceled_ThrowsAndRemovesNothing()
    {
        var queue = new SharedQueueActor<int>(0);
        using var stop = new CancellationTokenSource();

        var taking = queue.Take(null, stop.Token);
        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => taking);
        await queue.Put(7, null, default);
        Assert.Equal((true, 7), await queue.Take(Never, default));
    }

    [Fact]
    public void Batches_AreAtomic()
    {
        var queue = new SharedQueueActor<int>(3);

        Assert.True(queue.PutBatch([1, 2]));
        Assert.False(queue.PutBatch([3, 4]));
        Assert.Equal(2, queue.Size());
        Assert.Null(queue.TakeBatch(3));
        Assert.Equal([1, 2], queue.TakeBatch(2)!);
    }

    [Fact]
    public async Task PutBatch_WaitingConsumers_UseNoCapacity()
    {
        var queue = new SharedQueueActor<int>(1);
        var waiting = Enumerable.Range(0, 2).Select(_ => queue.Take(null, CancellationToken.None)).ToArray();

        Assert.False(queue.PutBatch([1, 2, 3, 4]));
        Assert.True(queue.PutBatch([1, 2, 3]));

        Assert.Equal([(true, 1), (true, 2)], await Task.WhenAll(waiting));
        Assert.Equal(1, queue.Size());
    }
}
