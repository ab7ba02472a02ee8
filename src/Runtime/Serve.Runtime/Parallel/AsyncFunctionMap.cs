namespace Serve.Runtime.Parallel;

/// <summary>A map with a function that returns a task: so many loops side by side as may be under way at once, each with one item at a time.</summary>
internal sealed class AsyncFunctionMap<T, TResult>(ItemSource<T> source, Func<T, CancellationToken, Task<TResult>> function, MapOptions options, CancellationToken cancellationToken)
    : ArrayMap<T, TResult>(source, options, cancellationToken)
{
    /// <summary>How many are under way unless the options say.</summary>
    public const int DefaultConcurrency = 64;

    private int width;
    private int tasks;
    private int started;

    protected override void Start(Cluster cluster)
    {
        width = Options.MaxConcurrency ?? DefaultConcurrency;
        tasks = Math.Min(width, LocalTasks.Width(cluster));
        StartRunners(cluster, tasks, isAsync: true, RunAsync);
    }

    private async ValueTask<object?> RunAsync(CancellationToken stop)
    {
        // The first of them have one loop more when it does not come out even.
        var loops = (width / tasks) + (Interlocked.Increment(ref started) <= width % tasks ? 1 : 0);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stop, Token);
        await Task.WhenAll(Enumerable.Range(0, loops).Select(_ => LoopAsync(either.Token))).ConfigureAwait(false);
        return null;
    }

    private async Task LoopAsync(CancellationToken stop)
    {
        if (!TryEnter())
            return;
        while (!stop.IsCancellationRequested && TryTake(1, width, out var index, out _))
        {
            try
            {
                Results[index] = await function(Items[index], stop).ConfigureAwait(false);
                Ran(1);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                break;
            }
            catch (Exception thrown)
            {
                Failed(index, thrown);
            }
        }

        Leave();
    }
}
