using Serve.Runtime.Tasks;
using Serve.Runtime.Tests.Testing;

namespace Serve.Runtime.Tests.Tasks;

public sealed class TrimmedQueueTests
{
    [Fact]
    public async Task Trim_WhileOthersAddAndTake_LosesNothing()
    {
        const int Most = 6_000_000;

        // On a machine that is busy with other things it has fewer of them, rather than a longer wait.
        var end = Environment.TickCount64 + 5000;
        var added = 0;
        var queue = new TrimmedQueue<int>(large: 1);
        var taken = 0;
        var adding = Task.Factory.StartNew(
            () =>
            {
                // So few at a time that it is empty again and again.
                for (; added < Most && (added % 1024 != 0 || Environment.TickCount64 < end); added++)
                {
                    queue.Add(added);
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
                    while (queue.TryTake(out var _))
                        Interlocked.Increment(ref taken);
                    queue.Trim();
                }
                while (!isLast);
            },
            TaskCreationOptions.LongRunning)).ToArray();
        await Task.WhenAll([adding, .. taking]).SoonAsync();
        while (queue.TryTake(out _))
            taken++;
        Assert.Equal(added, taken);
    }

    [Fact]
    public void Add_AndTake_FirstInFirstOut()
    {
        var queue = new TrimmedQueue<int>(large: 3);
        Assert.True(queue.IsEmpty);
        for (var i = 1; i <= 3; i++)
            queue.Add(i);
        queue.Trim();
        Assert.True(queue.TryPeek(out var first));
        Assert.Equal((1, "1 2 3"), (first, string.Join(' ', queue.Items)));
        for (var i = 1; i <= 3; i++)
            Assert.True(queue.TryTake(out var item) && item == i);
        queue.Trim();
        queue.Add(4);
        Assert.True(queue.TryTake(out var last) && last == 4);
        Assert.False(queue.TryTake(out _));
    }
}
