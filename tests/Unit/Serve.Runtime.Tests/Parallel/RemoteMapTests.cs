namespace Serve.Runtime.Tests.Parallel;

public sealed class RemoteMapTests : IAsyncLifetime
{
    private Cluster _ray = null!;

    public async Task InitializeAsync() => _ray = await Cluster.Init(new() { NumCpus = 2 });

    public async Task DisposeAsync() => await _ray.DisposeAsync();

    [Fact]
    public async Task Map_RemoteFunction_ResultsAreInOrder()
    {
        var items = Enumerable.Range(0, 100_000).Select(i => (double)i).ToArray();

        var results = await _ray.Map(_ray.MapDemo.Square, items);

        Assert.Equal(items.Select(x => x * x), results);
    }

    [Fact]
    public async Task Map_RemoteFunctionThrows_MessageNamesFirstSuchItem()
    {
        var thrown = await Assert.ThrowsAsync<UserCodeException>(() => _ray.Map(_ray.MapDemo.Square, [1.0, -1, 2, -2]));

        Assert.Equal("Item 1: no root", thrown.Message);
        Assert.Equal("no root", thrown.InnerException?.Message);
    }

    [Fact]
    public async Task Map_RemoteAsyncFunction_ResultsAreInOrder() =>
        Assert.Equal(Enumerable.Range(1, 1000), await _ray.Map(_ray.MapDemo.Next, Enumerable.Range(0, 1000)));

    [Fact]
    public async Task Map_RemoteFunctionWithOptions_AppliesThem()
    {
        var map = await Assert.ThrowsAsync<InsufficientResourcesException>(() => _ray.Map(_ray.MapDemo.Square.Options(new() { NumGpus = 1000 }), [1.0]));

        Assert.True(map.IsPermanent);
    }

    [Fact]
    public async Task MapUnordered_RemoteFunction_EachResultOnce()
    {
        var results = new List<double>();

        await foreach (var result in _ray.MapUnordered(_ray.MapDemo.Square, Enumerable.Range(0, 1000).Select(i => (double)i)))
            results.Add(result);

        Assert.Equal(Enumerable.Range(0, 1000).Select(i => (double)i * i), results.Order());
    }
}
