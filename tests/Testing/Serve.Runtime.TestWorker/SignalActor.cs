namespace Serve.Runtime.TestWorker;

/// <summary>An actor with a call that completes when another call sends a signal.</summary>
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
