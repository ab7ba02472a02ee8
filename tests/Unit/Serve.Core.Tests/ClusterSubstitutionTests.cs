namespace Serve.Core.Tests;

/// <summary>A library can replace the cluster in its tests, and decorate the cluster of its users, with public API only.</summary>
public sealed class ClusterSubstitutionTests
{
    public static TheoryData<string> Clusters => ["fake", "decorated fake", "decorated runtime"];

    [Theory]
    [MemberData(nameof(Clusters))]
    public async Task Submit_RemoteFunctions_ReturnResults(string kind)
    {
        await using var ray = await CreateAsync(kind);

        var squares = await ray.Get(Enumerable.Range(0, 4).Select(i => ray.Arithmetic.Square.Remote(i)));
        var chained = await ray.Arithmetic.AddAsync.Remote(ray.Arithmetic.Square.Remote(3), ray.Put(1));
        var (quotient, remainder) = ray.Arithmetic.DivMod.Remote(7, 2);
        List<int> streamed = [];
        await foreach (var item in ray.Arithmetic.Count.Remote(3))
            streamed.Add(await item);

        Assert.Equal([0, 1, 4, 9], squares);
        Assert.Equal(10, chained);
        Assert.Equal((3, 1), await ray.Get(quotient, remainder));
        Assert.Equal([0, 1, 2], streamed);
        Assert.Equal(42, await ray.Run(static value => value * 2, 21));
        Assert.Equal(16, ray.Arithmetic.Square.Remote(4).GetResult());
    }

    [Theory]
    [MemberData(nameof(Clusters))]
    public async Task Get_FailedTask_ThrowsItsException(string kind)
    {
        await using var ray = await CreateAsync(kind);

        var failed = ray.Arithmetic.Fail.Remote();

        var thrown = await Assert.ThrowsAsync<InvalidOperationException>(async () => await failed);
        Assert.Contains("failed on purpose", thrown.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<InvalidOperationException>(() => ray.Get(failed, ray.Put("never")));
    }

    [Theory]
    [MemberData(nameof(Clusters))]
    public async Task CreateActor_Calls_ChangeItsState(string kind)
    {
        await using var ray = await CreateAsync(kind);

        var tally = ray.Tally.Options(new() { Name = "tally" }).Remote(10);
        await tally.Created;

        Assert.Equal(11, await tally.Add.Remote(1));
        Assert.Equal(13, await ray.GetActor<Tally>("tally").Add.Remote(ray.Put(2)));
        Assert.Throws<ActorNotFoundException>(() => ray.GetActor<Tally>("other"));
    }

    [Fact]
    public async Task Submit_Decorator_SeesEveryTask()
    {
        await using var ray = new CountingCluster(new InlineCluster());

        await ray.Arithmetic.Square.Remote(2);
        await ray.Run(static () => 1);

        Assert.Equal(2, ray.Submitted);
    }

    [Fact]
    public async Task WaitForAll_DefaultImplementation_StopsAtTimeoutAndFirstFailure()
    {
        var ray = new InlineCluster();
        var pending = new ObjectRef<int>(ray, default);

        await Assert.ThrowsAsync<GetTimeoutException>(() => ray.Get(pending, ray.Put("ready"), TimeSpan.FromMilliseconds(20)));
        await Assert.ThrowsAsync<InvalidOperationException>(() => ray.Get(pending, ray.Arithmetic.Fail.Remote()));
    }

    private static async Task<Cluster> CreateAsync(string kind) => kind switch
    {
        "fake" => new InlineCluster(),
        "decorated fake" => new CountingCluster(new InlineCluster()),
        _ => new CountingCluster(await Cluster.Init(new() { NumCpus = 2, Observable = false })),
    };
}
