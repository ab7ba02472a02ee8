namespace Serve.BatchBench;

/// <summary>The called deployment: trivial methods, and methods that take a fixed time for any number of items.</summary>
[Deployment(Concurrency = ConcurrencyMode.TurnBased)]
public sealed class BatchedModel : IDisposable
{
    private readonly SemaphoreSlim _device = new(1);

    public int Plain(int x) => x + 1;

    [Batch(MaxBatchSize = 32, BatchWaitTimeout = "0")]
    public int[] Gathered(int[] x) => Array.ConvertAll(x, each => each + 1);

    /// <summary>One call at a time, as on a device.</summary>
    public async Task<int> SlowPlain(int x)
    {
        await _device.WaitAsync();
        try
        {
            await Task.Delay(2);
            return x + 1;
        }
        finally
        {
            _device.Release();
        }
    }

    [Batch(MaxBatchSize = 64, BatchWaitTimeout = "0")]
    public Task<int[]> SlowNoWait(int[] x) => SlowAsync(x);

    [Batch(MaxBatchSize = 64, BatchWaitTimeout = "10ms")]
    public Task<int[]> SlowFixed(int[] x) => SlowAsync(x);

    [Batch(MaxBatchSize = 64, BatchWaitTimeout = "10ms", Adaptive = true)]
    public Task<int[]> SlowAdaptive(int[] x) => SlowAsync(x);

    public void Dispose() => _device.Dispose();

    private static async Task<int[]> SlowAsync(int[] x)
    {
        await Task.Delay(2);
        return Array.ConvertAll(x, each => each + 1);
    }
}
