using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Mvc;
using Serve.Replica.Tests.Fixtures;

namespace Serve.Replica.Tests.Samples;

[Deployment]
public sealed class Streams(string key)
{
    private int _inside;

    [HttpGet("/tokens")]
    public async IAsyncEnumerable<string> Tokens([FromQuery] int n, [EnumeratorCancellation] CancellationToken stop)
    {
        for (var i = 0; i < n; i++)
        {
            if (i == 1)
                await TestSignals.Of($"{key}-second").Task.WaitAsync(stop);
            yield return $"t{i}";
        }
    }

    [HttpGet("/endless")]
    public async IAsyncEnumerable<Item> Endless([EnumeratorCancellation] CancellationToken stop)
    {
        try
        {
            for (var i = 0; ; i++)
            {
                yield return new Item(i);
                await Task.Delay(1, stop);
            }
        }
        finally
        {
            TestSignals.Set($"{key}-ended");
        }
    }

    [HttpGet("/broken")]
    public async IAsyncEnumerable<int> Broken()
    {
        await Task.Yield();
        throw new InvalidOperationException("broken stream");
#pragma warning disable CS0162 // Makes this an iterator.
        yield return 1;
#pragma warning restore CS0162
    }

    [HttpGet("/half")]
    public async IAsyncEnumerable<int> Half()
    {
        yield return 1;
        await Task.Yield();
        throw new InvalidOperationException("half a stream");
    }

    [HttpGet("/turns")]
    public async IAsyncEnumerable<bool> TurnByTurn()
    {
        for (var i = 0; i < 100; i++)
        {
            var alone = Interlocked.Increment(ref _inside) == 1;
            Thread.SpinWait(2000);
            Interlocked.Decrement(ref _inside);
            yield return alone;
            await Task.Yield();
        }
    }

    [HttpGet("/later")]
    public Task<IAsyncEnumerable<int>> Later() => Task.FromResult(Three());

    private static async IAsyncEnumerable<int> Three()
    {
        yield return 3;
        await Task.Yield();
    }
}

public sealed record Item(int Number);
