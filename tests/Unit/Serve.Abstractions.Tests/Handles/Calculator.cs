using System.Runtime.CompilerServices;

namespace Serve.Abstractions.Tests.Handles;

/// <summary>A deployment that the tests call through typed handles.</summary>
[Deployment]
internal sealed class Calculator
{
    public int Square(int x) => x * x;

    public Task<int> Add(int a, int b) => Task.FromResult(a + b);

    public string Join(int a, string b, double c, object? d) => string.Join(' ', a, b, FormattableString.Invariant($"{c}"), d);

    public int Fail(int x) => throw new InvalidOperationException($"no {x}");

    public object? Same(object? value) => value;

    public int Count(IReadOnlyList<int> values) => values.Count;

    public List<int> Range(int n) => [.. Enumerable.Range(0, n)];

    public async Task<int> Hang(CancellationToken stop)
    {
        await Task.Delay(Timeout.InfiniteTimeSpan, stop);
        return 0;
    }

    public async IAsyncEnumerable<int> Items(int n, [EnumeratorCancellation] CancellationToken stop)
    {
        for (var i = 0; i < n; i++)
        {
            stop.ThrowIfCancellationRequested();
            await Task.Yield();
            yield return i;
        }
    }

    public async IAsyncEnumerable<int> Slow([EnumeratorCancellation] CancellationToken stop)
    {
        yield return 0;
        await Task.Delay(Timeout.InfiniteTimeSpan, stop);
    }
}
