using System.Collections.Concurrent;

namespace Serve.Runtime.TestWorker;

/// <summary>Records its calls in a queue of the test.</summary>
[Remote]
public sealed class LogActor : IAsyncDisposable
{
    private readonly ConcurrentQueue<string> _log;

    public LogActor(ConcurrentQueue<string> log, TestCallGate? gate = null)
    {
        gate?.OnEntered();
        gate?.Opened.Wait();
        _log = log;
        log.Enqueue("made");
    }

    public void Say(string text) => _log.Enqueue(text);

    public async Task SayLater(string text, TestCallGate gate)
    {
        await gate.Opened;
        _log.Enqueue(text);
    }

    public async ValueTask DisposeAsync()
    {
        await Task.Yield();
        _log.Enqueue("disposed");
    }
}
