using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Mvc;
using Serve.Calls;
using Serve.Replica.Tests.Fixtures;

namespace Serve.Replica.Tests.Samples;

[Deployment]
public sealed class Batched(string key)
{
    private int _inside;

    // Returns the size of its batch.
    [Batch(MaxBatchSize = 4, BatchWaitTimeout = "1h")]
    public async Task<Labelled[]> Call(IReadOnlyList<Picture> pictures)
    {
        await Task.Yield();
        return [.. pictures.Select(picture => new Labelled(picture.Name, pictures.Count))];
    }

    [Batch(MaxBatchSize = 2, BatchWaitTimeout = "1h"), HttpGet("/square/{number}")]
    public IReadOnlyList<int> Square(List<int> number) => [.. number.Select(x => x * x)];

    [Batch(MaxBatchSize = 2, BatchWaitTimeout = "1h"), HttpGet("/join")]
    public ValueTask<List<string>> Join([FromQuery(Name = "a")] string[] left, [FromHeader(Name = "X-Right")] IList<string> right, CancellationToken stop) =>
        new([.. left.Zip(right, (l, r) => $"{l}-{r}-{stop.CanBeCanceled}")]);

    [Batch(MaxBatchSize = 3, BatchWaitTimeout = "1h"), HttpGet("/odd/{n}")]
    public Task<BatchResult<int>[]> Odd(int[] n) => Task.FromResult(n.Select(x =>
        x % 2 == 1 ? x : x == 0 ? (BatchResult<int>)BatchResult.None : BatchResult.Fail(new BadInputException($"{x} is even"))).ToArray());

    [Batch(MaxBatchSize = 2, BatchWaitTimeout = "1h"), HttpGet("/broken/{n}")]
    public Task<int[]> Broken(int[] n) => throw new InvalidOperationException($"cannot do {n.Length}");

    [Batch(MaxBatchSize = 2, BatchWaitTimeout = "1h"), HttpGet("/busy/{n}")]
    public Task<int[]> Busy(int[] n) => throw new OverloadedException("all pots are full", TimeSpan.FromSeconds(n.Length));

    [Batch(MaxBatchSize = 2, BatchWaitTimeout = "1h"), HttpGet("/short/{n}")]
    public Task<int[]> TooFew(int[] n) => Task.FromResult(n[1..]);

    [Batch(MaxBatchSize = 2, BatchWaitTimeout = "1h")]
    public Task<int[]> TooMany(int[] n) => Task.FromResult<int[]>([.. n, 0]);

    [Batch(MaxBatchSize = 2, BatchWaitTimeout = "1h")]
    public int[] NoList(int[] n) => null!;

    [Batch(MaxBatchSize = 2, BatchWaitTimeout = "1h")]
    public IAsyncEnumerable<BatchResult<int>[]> NoStream(int[] n) => null!;

    [Batch(MaxBatchSize = 2, BatchWaitTimeout = "1h")]
    public async IAsyncEnumerable<BatchResult<int>[]> WideSteps(int[] n)
    {
        await Task.Yield();
        yield return [.. n, 0];
    }

    [Batch(MaxBatchSize = 2, BatchWaitTimeout = "2s")]
    public async IAsyncEnumerable<BatchResult<string>[]> ModelStream(int[] n)
    {
        var description = $"{RequestContext.Current?.Call.MultiplexedModelId} {n.Length}";
        await Task.Yield();
        yield return [.. n.Select(_ => description)];
    }

    // The size depends on this object.
    [Batch(MaxBatchSize = 10, SizeMethod = nameof(HalfKey), BatchWaitTimeout = "1h")]
    public int[] Halves(IReadOnlyList<string> word) => [.. word.Select(_ => word.Count)];

    [Batch(MaxBatchSize = 2, BatchWaitTimeout = "2s"), HttpGet("/model/{n}")]
    public string?[] Model(IReadOnlyList<int> n) =>
        [.. n.Select(_ => $"{RequestContext.Current?.Call.MultiplexedModelId} {n.Count}")];

    [Batch(MaxBatchSize = 10, SizeMethod = nameof(Length), BatchWaitTimeout = "1h"), HttpGet("/words/{word}")]
    public int[] Words(IReadOnlyList<string> word) => [.. word.Select(_ => word.Count)];

    // Counts down for each caller; a caller ends at 0, one at 13 fails, and all fail with one that starts at 20.
    [Batch(MaxBatchSize = 2, BatchWaitTimeout = "1h"), HttpGet("/count/{from}")]
    public async IAsyncEnumerable<BatchResult<int>[]> Count(IReadOnlyList<int> from, [EnumeratorCancellation] CancellationToken stop)
    {
        try
        {
            for (var step = 0; ; step++)
            {
                if (step == 3)
                {
                    TestSignals.Set($"{key}-counting");
                    await TestSignals.Of($"{key}-third").Task.WaitAsync(stop);
                    if (from.Contains(20))
                        throw new InvalidOperationException("cannot count so far");
                }

                yield return [.. from.Select(n => n - step >= 0 ? n - step : n == 13 ? BatchResult.Fail(new BadInputException("13")) : (BatchResult<int>)BatchResult.End)];
            }
        }
        finally
        {
            TestSignals.Set($"{key}-ended");
        }
    }

    [Batch(MaxBatchSize = 1, BatchWaitTimeout = "0"), Blocking, HttpGet("/thread/{n}")]
    public string[] ThreadName(int[] n) => [Thread.CurrentThread.Name ?? "none"];

    // In a turn, no other call runs until the first await.
    [Batch(MaxBatchSize = 1, BatchWaitTimeout = "0", MaxConcurrentBatches = 4), HttpGet("/inside/{n}")]
    public async Task<int[]> Inside(int[] n)
    {
        _inside++;
        Thread.Sleep(1);
        var seen = _inside--;
        await Task.Yield();
        return [seen];
    }

    // The same for each step of a stream.
    [Batch(MaxBatchSize = 1, BatchWaitTimeout = "0", MaxConcurrentBatches = 4)]
    public async IAsyncEnumerable<BatchResult<int>[]> InsideSteps(int[] n)
    {
        for (var step = 0; step < 4; step++)
        {
            await Task.Delay(1);
            _inside++;
            Thread.Sleep(1);
            var seen = _inside--;
            yield return [seen];
        }
    }

    [Batch(MaxBatchSize = 2, BatchWaitTimeout = "1h"), HttpGet("/hang/{n}")]
    public async Task<int[]> Hang(int[] n, CancellationToken stop)
    {
        TestSignals.Set($"{key}-hanging");
        try
        {
            await Task.Delay(Timeout.Infinite, stop);
        }
        finally
        {
            TestSignals.Set($"{key}-released");
        }

        return n;
    }

    public int Plain(int n) => n;

    private static int Length(string word) => word.Length;

    private int HalfKey(string word) => word.Length * key.Length / 64;
}

public sealed record Picture(string Name);

public sealed record Labelled(string Name, int Among);
