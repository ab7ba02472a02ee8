namespace Serve.Runtime.Tests.Functions;

public sealed class ForwardedTestReplicaTests
{
    [Fact]
    public async Task Remote_ConstructorAndMethods_TakeValuesAndRefs()
    {
        await using var ray = await Cluster.Init();

        ActorHandle<Tally> tally = ray.Tally.Remote(3);
        Assert.Equal(4, await tally.Increment.Remote());
        Assert.Equal(6, await tally.Increment.Remote(2));
        Assert.Equal(10, await tally.Later.Remote(ray.Tally.Twice.Remote(2)));
        Assert.Equal(11, await tally.Increment.Options(new() { Name = "one more" }).Remote(ray.Put(1)));
        Assert.Null(await tally.Clear.Remote());
        Assert.Equal(1, await tally.Increment.Remote());

        var other = ray.Tally.Remote(ray.Put(20));
        Assert.Equal(21, await other.Increment.Remote());
        Assert.Equal(1, await ray.Tally.Remote().Increment.Remote());
    }

    [Fact]
    public async Task Remote_WithOptions_CreatesTheActorWithThem()
    {
        await using var ray = await Cluster.Init();

        var named = ray.Tally.Options(new() { Name = "t" }).Remote(5);

        Assert.Equal("t", named.Name);
        Assert.Equal(6, await ray.GetActor<Tally>("t").Increment.Remote());
    }

    [Fact]
    public async Task Remote_StaticMethodOfAnActorClass_IsAFunction()
    {
        await using var ray = await Cluster.Init();

        Assert.Equal(4, await ray.Tally.Twice.Remote(2));
        Assert.Equal(8, await ray.Tally.Twice.Remote(ray.Tally.Twice.Remote(2)));
    }

    [Fact]
    public async Task Remote_StreamingMethod_GivesARefToEachItem()
    {
        await using var ray = await Cluster.Init();
        var tally = ray.Tally.Remote(3);
        List<int> items = [];

        await foreach (ObjectRef<int> item in tally.Down.Remote())
            items.Add(await item);

        Assert.Equal([2, 1, 0], items);
    }
}
