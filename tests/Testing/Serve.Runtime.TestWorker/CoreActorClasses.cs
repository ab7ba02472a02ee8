using System.Runtime.CompilerServices;

namespace Serve.Runtime.TestWorker;

/// <summary>An actor with all behaviours that actor tests need, in-process or in a worker.</summary>
[Remote]
public sealed class CountActor(int start = 0)
{
    private int _count = start;
    private int _inside;

    public int Increment(int by) => _count += by;

    public int Read() => _count;

    public int Measure(string text) => text.Length;

    public int Pid() => Environment.ProcessId;

    public int ThreadId() => Environment.CurrentManagedThreadId;

    public int Throw(string message) => throw new InvalidOperationException(message);

    /// <summary>Throws a given number of times, then counts.</summary>
    public int Flaky(int failures) => ++_count <= failures ? throw new TimeoutException($"Attempt {_count}.") : _count;

    public async Task<int> WaitFor(TestCallGate gate, int by)
    {
        await gate.Opened;
        return _count += by;
    }

    public int Block(TestCallGate gate)
    {
        gate.OnEntered();
        gate.Opened.Wait();
        return ++_count;
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

    /// <summary>Sets the count to -1 when it is canceled.</summary>
    public async Task<bool> SleepUntilCancelled(CancellationToken cancellationToken)
    {
        await Task.Delay(Timeout.Infinite, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _count = -1;
        return true;
    }

    /// <summary>Maximum number of concurrent calls that yield in the middle.</summary>
    public async Task<int> Overlap()
    {
        var seen = Interlocked.Increment(ref _inside);
        await Task.Yield();
        await Task.Yield();
        Interlocked.Decrement(ref _inside);
        return seen;
    }

    /// <summary>Waits for a call that can start only after this one has completed.</summary>
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
            _count = i;
            yield return i;
        }
    }
}

/// <summary>Tasks that call actors.</summary>
public static partial class ActorUser
{
    [Remote]
    public static async Task<int> Increment(ActorHandle<CountActor> actor) => await actor.Increment.Remote(1);
}
