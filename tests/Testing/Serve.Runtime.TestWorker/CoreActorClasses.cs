using System.Runtime.CompilerServices;

namespace Serve.Runtime.TestWorker;

/// <summary>An actor that counts, and does whatever a test of actors needs, here or in a worker.</summary>
[Remote]
public sealed class CountActor(int start = 0)
{
    private int count = start;
    private int inside;

    public int Increment(int by) => count += by;

    public int Read() => count;

    public int Pid() => Environment.ProcessId;

    public int ThreadId() => Environment.CurrentManagedThreadId;

    public int Throw(string message) => throw new InvalidOperationException(message);

    /// <summary>Throws as often as said, then counts.</summary>
    public int Flaky(int failures) => ++count <= failures ? throw new TimeoutException($"Attempt {count}.") : count;

    public async Task<int> WaitFor(TestCallGate gate, int by)
    {
        await gate.Opened;
        return count += by;
    }

    public int Block(TestCallGate gate)
    {
        gate.OnEntered();
        gate.Opened.Wait();
        return ++count;
    }

    [Blocking]
    public bool IsOnBlockingThread() => Thread.CurrentThread.Name == "serve blocking";

    public async Task<bool> UntilCancelled(TestCallGate gate, CancellationToken cancellationToken)
    {
        gate.OnEntered();
        await Task.Delay(Timeout.Infinite, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        gate.OnLeft();
        return true;
    }

    /// <summary>Leaves -1 behind when it was told to stop.</summary>
    public async Task<bool> SleepUntilCancelled(CancellationToken cancellationToken)
    {
        await Task.Delay(Timeout.Infinite, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        count = -1;
        return true;
    }

    /// <summary>How many were inside at once at most, when each gives way in the middle.</summary>
    public async Task<int> Overlap()
    {
        var seen = Interlocked.Increment(ref inside);
        await Task.Yield();
        await Task.Yield();
        Interlocked.Decrement(ref inside);
        return seen;
    }

    /// <summary>Waits for a call that can start only when this one has ended.</summary>
    public int CallItself(ActorHandle<CountActor> self) => self.Increment.Remote(1).GetResult();

    public bool IsCurrent(string name) => Cluster.Current.GetActor<CountActor>(name) is not null;

    public int Exit()
    {
        Cluster.ExitActor();
        return 0;
    }

    public int Crash(int code)
    {
        Environment.Exit(code);
        return 0;
    }

    public async IAsyncEnumerable<int> Up(int to, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        for (var i = 0; i < to; i++)
        {
            await Task.Yield();
            cancellationToken.ThrowIfCancellationRequested();
            count = i;
            yield return i;
        }
    }
}
