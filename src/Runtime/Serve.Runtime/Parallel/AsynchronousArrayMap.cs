namespace Serve.Runtime.Parallel;

/// <summary>Map with an asynchronous function: as many concurrent loops as items may be in flight, each processing one item at a time.</summary>
internal sealed class AsynchronousArrayMap<T, TResult>(ContiguousItems<T> source, Func<T, CancellationToken, Task<TResult>> function, MapOptions options, CancellationToken cancellationToken)
    : ParallelArrayMap<T, TResult>(source, options, cancellationToken)
{
    /// <summary>Number of items in flight if the options do not specify it.</summary>
    public const int DefaultConcurrency = 64;

    private int _width;
    private int _tasks;
    private int _started;

    protected override void Start(Cluster cluster)
    {
        _width = Options.MaxConcurrency ?? DefaultConcurrency;
        _tasks = Math.Min(_width, LocalTaskStarter.GetParallelism(cluster));
        StartRunners(cluster, _tasks, isAsync: true, RunAsync);
    }

    private async ValueTask<object?> RunAsync(CancellationToken stop)
    {
        // If the loops cannot be divided evenly, the first tasks run one more.
        var loops = (_width / _tasks) + (Interlocked.Increment(ref _started) <= _width % _tasks ? 1 : 0);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stop, Token);
        await Task.WhenAll(Enumerable.Range(0, loops).Select(_ => LoopAsync(either.Token))).ConfigureAwait(false);
        return null;
    }

    private async Task LoopAsync(CancellationToken stop)
    {
        if (!TryEnter())
            return;
        while (!stop.IsCancellationRequested && TryTakeChunk(1, _width, out var index, out _))
        {
            try
            {
                Results[index] = await function(Items[index], stop).ConfigureAwait(false);
                ReportCompleted(1);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                break;
            }
            catch (Exception thrown)
            {
                ReportFailure(index, thrown);
            }
        }

        Exit();
    }
}
