namespace Serve.Runtime.TestWorker;

/// <summary>An actor with a call that completes when another call sends a signal.</summary>
[Remote]
public sealed class SignalActor
{
    private readonly TaskCompletionSource<string> _sent = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _waiting;

    public async Task<string> Wait()
    {
        _waiting++;
        return await _sent.Task;
    }

    public int Waiting() => _waiting;

    public void Send(string text) => _sent.TrySetResult(text);
}
