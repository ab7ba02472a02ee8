namespace Serve.Runtime.Tests.Functions;

public sealed class RemoteActorTests
{
    [Fact]
    public async Task Remote_StaticMethodOfAnActorClass_IsAFunction()
    {
        await using var ray = await Cluster.Init();

        Assert.Equal(4, await ray.Tally.Twice.Remote(2));
        Assert.Equal(8, await ray.Tally.Twice.Remote(ray.Tally.Twice.Remote(2)));
    }

    internal static async Task<int> Compiles(Cluster ray)
    {
        var tally = ray.Tally.Options(new() { Name = "t" }).Remote(start: 3);
        await foreach (var item in tally.Down.Remote())
            await item;
        await tally.Clear.Remote();
        return await tally.Increment.Remote() + await tally.Later.Options(new() { MaxTaskRetries = 1 }).Remote(ray.Put(1));
    }
}
