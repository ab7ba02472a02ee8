namespace Serve.Runtime.Tests.Parallel;

public sealed class AsCompletedTests : IAsyncLifetime
{
    private Cluster _ray = null!;

    public async Task InitializeAsync() => _ray = await Cluster.Init(new() { NumCpus = 4 });

    public async Task DisposeAsync() => await _ray.DisposeAsync();

    [Fact]
    public async Task AsCompleted_SlowFirst_OthersComeFirst()
    {
        using var gate = new ManualResetEventSlim();
        ObjectRef<int>[] refs = [_ray.Run(() => gate.Wait(TimeSpan.FromSeconds(20)) ? 1 : -1), _ray.Run(() => 2), _ray.Put(3)];
        var results = new List<int>();

        await foreach (var result in _ray.AsCompleted(refs))
        {
            results.Add(result);
            if (results.Count == 2)
                gate.Set();
        }

        Assert.Equal(1, results[^1]);
        Assert.Equal([1, 2, 3], results.Order());
    }

    [Fact]
    public async Task AsCompleted_OneFails_Throws() => await Assert.ThrowsAsync<FormatException>(async () =>
    {
        await foreach (var _ in _ray.AsCompleted([_ray.Run(int () => throw new FormatException())]))
        {
        }
    });

    [Fact]
    public void WithProgress_NoTerminal_ReturnsItems() => Assert.Equal([1, 2, 3], new[] { 1, 2, 3 }.WithProgress("items"));
}
