using System.Runtime.CompilerServices;

namespace Serve.Runtime.Tests.Functions;

/// <summary>An actor that counts, and a class with a remote function beside.</summary>
[Remote(MaxConcurrency = 1)]
public sealed class Tally(int start = 0)
{
    private int count = start;

    [Remote]
    public static int Twice(int a) => 2 * a;

    public int Increment(int by = 1) => count += by;

    public async Task<int> Later(int by)
    {
        await Task.Yield();
        return count += by;
    }

    public void Clear() => count = 0;

    public async IAsyncEnumerable<int> Down([EnumeratorCancellation] CancellationToken stop = default)
    {
        while (count > 0)
        {
            await Task.Yield();
            stop.ThrowIfCancellationRequested();
            yield return --count;
        }
    }
}
