namespace Serve.Runtime.TestWorker;

/// <summary>An actor of which one call lets another one end.</summary>
[Remote]
public sealed class SignalActor
{
    private readonly TaskCompletionSource<string> sent = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int waiting;

    public async Task<string> Wait()
    {
        waiting++;
        return await sent.Task;
    }

    public int Waiting() => waiting;

    public void Send(string text) => sent.TrySetResult(text);
}
