namespace Serve.BatchBench;

/// <summary>What is called: methods that do next to nothing, and ones that take a fixed time however many items they are given.</summary>
[Deployment(Concurrency = ConcurrencyMode.TurnBased)]
public sealed class BatchedModel : IDisposable
{
    private readonly SemaphoreSlim _device = new(1);

    public int Plain(int x) => x + 1;

    [Batch(MaxBatchSize = 32, BatchWaitTimeout = "0")]
    public int[] Gathered(int[] x) => Array.ConvertAll(x, each => each + 1);

    /// <summary>One at a time, as a device would have it.</summary>
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
