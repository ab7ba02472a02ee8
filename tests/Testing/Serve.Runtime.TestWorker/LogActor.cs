using System.Collections.Concurrent;

namespace Serve.Runtime.TestWorker;

/// <summary>Writes what happens to it into a list of the test's.</summary>
[Remote]
public sealed class LogActor : IAsyncDisposable
{
    private readonly ConcurrentQueue<string> log;

    public LogActor(ConcurrentQueue<string> log, TestCallGate? gate = null)
    {
        gate?.OnEntered();
        gate?.Opened.Wait();
        this.log = log;
        log.Enqueue("made");
    }

    public void Say(string text) => log.Enqueue(text);

    public async Task SayLater(string text, TestCallGate gate)
    {
        await gate.Opened;
        log.Enqueue(text);
    }

    public async ValueTask DisposeAsync()
    {
        await Task.Yield();
        log.Enqueue("disposed");
    }
}
