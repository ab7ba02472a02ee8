using System.Collections.Immutable;

namespace Serve.Runtime.Tests.Functions;

public sealed class RemoteFunctionTests
{
    [Fact]
    public async Task Remote_ValuesRefsAndMixes_GiveTheSame()
    {
        await using var ray = await Cluster.Init(new() { Resources = ImmutableDictionary<string, double>.Empty.Add("disk", 1).Add("tpu", 1) });
        ObjectRef<int> one = ray.Put(1);
        var list = ray.Put<double[]>([1, 2]);

        Assert.Equal(3, await ray.Demo.Add.Remote(1, 2));
        Assert.Equal(11, await ray.Demo.Add.Remote(1));
        Assert.Equal(3, await ray.Demo.Add.Remote(one, 2));
        Assert.Equal(3, await ray.Demo.Add.Remote(2, one));
        Assert.Equal(11, await ray.Demo.Add.Remote(one));
        Assert.Equal(22, await ray.Demo.Add.Remote(b: ray.Demo.Add.Remote(one), a: ray.Demo.Add.Remote(1)));
        Assert.Equal(3, await ray.Demo.Total.Remote(list));
        Assert.Equal(8, await ray.Demo.Sum.Remote(list, [1, 2, 1]));
        Assert.Equal(7, await ray.Demo.Sum.Remote(list, list));
        Assert.Equal(8, await ray.Demo.Sum.Remote([1, 2], list, 2));
        Assert.Equal(6, await ray.Demo.Sum.Remote([1, 2], list, start: ray.Put(0.0)));
        Assert.Equal(6, await ray.Demo.Rest.Remote(1, 2, 3));
        Assert.Equal(1, await ray.Demo.Rest.Remote(one));
        Assert.Equal(4, await ray.Demo.Rest.Remote(one, new[] { 3 }));
    }

    [Fact]
    public async Task Remote_ObjectParameter_TakesARefForItsValue()
    {
        await using var ray = await Cluster.Init();
        ObjectRef<string> text = ray.Put("t");
        ObjectRef<string?> none = ray.Put<string?>(null);

        Assert.Equal("5 x", await ray.Demo.Describe.Remote(5, "x"));
        Assert.Equal("5 t", await ray.Demo.Describe.Remote(5, text));
        Assert.Equal("5 null", await ray.Demo.Describe.Remote(5, none));
        Assert.Equal("t x", await ray.Demo.Describe.Remote(text, "x"));
        Assert.Equal("null null", await ray.Demo.Describe.Remote(null, null));
    }

    [Fact]
    public async Task Remote_TreeReduce_IsThatOfTheDocs()
    {
        await using var ray = await Cluster.Init();

        var data = new Queue<ObjectRef<double[]>>(Enumerable.Range(0, 100).Select(_ => ray.Demo.GenerateData.Remote()));
        while (data.Count > 1)
            data.Enqueue(ray.Demo.Aggregate.Remote(data.Dequeue(), data.Dequeue()));
        double[] sum = await ray.Get(data.Dequeue());

        Assert.Equal([100, 200, 300], sum);
    }

    [Fact]
    public async Task Remote_SuppliedParameters_AreNoArguments()
    {
        await using var ray = await Cluster.Init();

        Assert.True(await ray.Demo.Supplied.Remote(1));
        Assert.Null(await ray.Demo.Nothing.Remote());
        Assert.Null(await ray.Demo.NothingLater.Remote());
    }

    [Fact]
    public async Task Remote_Throws_SoDoesGet()
    {
        await using var ray = await Cluster.Init();

        var thrown = await Assert.ThrowsAsync<InvalidOperationException>(async () => await ray.Demo.Fail.Remote("as asked"));

        Assert.Contains("as asked", thrown.ToString(), StringComparison.Ordinal);
    }
}
