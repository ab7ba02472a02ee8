using System.Threading.Channels;

namespace Serve.CoreBench;

/// <summary>The equivalent without a library: a class with a mailbox and a loop.</summary>
internal sealed class ChannelCounter
{
    private readonly Channel<TaskCompletionSource<int>> _mailbox = Channel.CreateUnbounded<TaskCompletionSource<int>>(new() { SingleReader = true });
    private int _count;

    public ChannelCounter() => _ = RunAsync();

    public Task<int> Increment()
    {
        var answer = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        _mailbox.Writer.TryWrite(answer);
        return answer.Task;
    }

    private async Task RunAsync()
    {
        await foreach (var answer in _mailbox.Reader.ReadAllAsync())
            answer.SetResult(++_count);
    }
}
