namespace Serve.Runtime.Tests.Functions;

public sealed class GetManyTests
{
    [Fact]
    public async Task Get_ReferencesOfDifferentTypes_ReturnsTuple()
    {
        await using var ray = await Cluster.Init();

        var (number, text) = await ray.Get(ray.Run(static () => 1), ray.Put("a"));
        var (a, b, c) = await ray.Get(ray.Put(1), ray.Put("b"), ray.Put(3.0));
        var (d, e, f, g) = await ray.Get(ray.Put(1), ray.Put("b"), ray.Put(3.0), ray.Put('d'));

        Assert.Equal((1, "a"), (number, text));
        Assert.Equal((1, "b", 3.0), (a, b, c));
        Assert.Equal((1, "b", 3.0, 'd'), (d, e, f, g));
    }

    [Fact]
    public async Task Get_OneOfThemFails_DoesNotWaitForTheOthers()
    {
        await using var ray = await Cluster.Init();
        var never = new ObjectRef<int>(ray, new(1000));

        var thrown = await Assert.ThrowsAsync<InvalidOperationException>(() => ray.Get(never, ray.Demo.Fail.Remote("as asked")).WaitAsync(TimeSpan.FromSeconds(30)));
        var late = await Assert.ThrowsAsync<GetTimeoutException>(() => ray.Get(never, ray.Put("a"), timeout: TimeSpan.FromMilliseconds(20)));
        Assert.Contains("within 20 ms.", late.Message, StringComparison.Ordinal);

        Assert.Contains("as asked", thrown.ToString(), StringComparison.Ordinal);
    }
}
