using System.Runtime.CompilerServices;

namespace Serve.Runtime.Tests.Functions;

/// <summary>Actor that counts, in a class with a remote function.</summary>
[Remote(MaxConcurrency = 1)]
public sealed class Tally(int start = 0)
{
    private int _count = start;

    [Remote]
    public static int Twice(int a) => 2 * a;

    public int Increment(int by = 1) => _count += by;

    public async Task<int> Later(int by)
    {
        await Task.Yield();
        return _count += by;
    }

    public void Clear() => _count = 0;

    public async IAsyncEnumerable<int> Down([EnumeratorCancellation] CancellationToken stop = default)
    {
        while (_count > 0)
        {
            await Task.Yield();
            stop.ThrowIfCancellationRequested();
            yield return --_count;
        }
    }
}
