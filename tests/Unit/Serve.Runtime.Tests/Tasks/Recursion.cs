using System.Collections.Concurrent;
using System.Runtime.CompilerServices;

namespace Serve.Runtime.Tests.Tasks;

/// <summary>Tasks that submit child tasks.</summary>
public static partial class Recursion
{
    /// <summary>Test code that runs inside of tasks with serializable arguments.</summary>
    private static readonly ConcurrentDictionary<int, Func<int, int>> Hooks = new() { [0] = i => i };

    public static int Hook(Func<int, int> body)
    {
        while (true)
        {
            if (Hooks.Count is var number && Hooks.TryAdd(number, body))
                return number;
        }
    }

    [Remote]
    public static int Fib(int n)
    {
        if (n < 2)
            return n;
        var one = Cluster.Current.Recursion.Fib.Remote(n - 1);
        var two = Cluster.Current.Recursion.Fib.Remote(n - 2);
        return one.GetResult() + two.GetResult();
    }

    [Remote]
    public static async Task<int> FibAsync(int n)
    {
        if (n < 2)
            return n;
        var one = Cluster.Current.Recursion.FibAsync.Remote(n - 1);
        var two = Cluster.Current.Recursion.FibAsync.Remote(n - 2);
        return await one + await two;
    }

    [Remote]
    public static int Deep(int n) => n == 0 ? 0 : 1 + Cluster.Current.Recursion.Deep.Remote(n - 1).GetResult();

    // Waits with a timeout, so that each level blocks a thread of its own.
    [Remote]
    public static int DeepOnThreads(int n) => n == 0 ? 0 : 1 + Cluster.Current.Recursion.DeepOnThreads.Remote(n - 1).GetResult(TimeSpan.FromSeconds(60));

    [Remote]
    public static int Increment(int x) => x + 1;

    [Remote(MaxRetries = 2, RetryOn = [typeof(IOException)])]
    public static int Flaky(int hook) => Hooks[hook](0);

    [Remote(NumGpus = 1000)]
    public static int OnGpu(int x) => x;

    [Remote]
    public static async IAsyncEnumerable<int> Count(int to, int hook, [EnumeratorCancellation] CancellationToken stop)
    {
        for (var i = 0; i < to; i++)
        {
            await Task.Yield();
            stop.ThrowIfCancellationRequested();
            Hooks[hook](i);
            yield return i;
        }
    }
}
