using Serve.Runtime.Tasks;

namespace Serve.Runtime.Tests.Tasks;

public sealed class MemoryTrimmingQueueTests
{
    [Fact]
    public async Task Trim_ConcurrentEnqueueAndDequeue_LosesNoItem()
    {
        const int Most = 6_000_000;

        // Bounded by time: on a busy machine fewer items, not a longer test.
        var end = Environment.TickCount64 + 5000;
        var added = 0;
        var queue = new MemoryTrimmingQueue<int>(large: 1);
        var taken = 0;
        var adding = Task.Factory.StartNew(
            () =>
            {
                // In small groups, so that the queue is often empty.
                for (; added < Most && (added % 1024 != 0 || Environment.TickCount64 < end); added++)
                {
                    queue.Enqueue(added);
                    while (Volatile.Read(ref taken) < added - 2 && !queue.IsEmpty)
                        Thread.SpinWait(1);
                }
            },
            TaskCreationOptions.LongRunning);
        var taking = Enumerable.Range(0, 3).Select(_ => Task.Factory.StartNew(
            () =>
            {
                bool isLast;
                do
                {
                    isLast = adding.IsCompleted;
                    while (queue.TryDequeue(out var _))
                        Interlocked.Increment(ref taken);
                    queue.Trim();
                }
                while (!isLast);
            },
            TaskCreationOptions.LongRunning)).ToArray();
        await Task.WhenAll([adding, .. taking]).SoonAsync();
        while (queue.TryDequeue(out _))
            taken++;
        Assert.Equal(added, taken);
    }

    [Fact]
    public void Enqueue_ThenDequeue_IsFirstInFirstOut()
    {
        var queue = new MemoryTrimmingQueue<int>(large: 3);
        Assert.True(queue.IsEmpty);
        for (var i = 1; i <= 3; i++)
            queue.Enqueue(i);
        queue.Trim();
        Assert.True(queue.TryPeek(out var first));
        Assert.Equal((1, "1 2 3"), (first, string.Join(' ', queue.Items)));
        for (var i = 1; i <= 3; i++)
            Assert.True(queue.TryDequeue(out var item) && item == i);
        queue.Trim();
        queue.Enqueue(4);
        Assert.True(queue.TryDequeue(out var last) && last == 4);
        Assert.False(queue.TryDequeue(out _));
    }
}
