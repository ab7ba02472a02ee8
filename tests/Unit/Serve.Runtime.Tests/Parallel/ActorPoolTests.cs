namespace Serve.Runtime.Tests.Parallel;

public sealed class ActorPoolTests : IAsyncLifetime
{
    private Cluster _ray = null!;

    public async Task InitializeAsync() => _ray = await Cluster.Init(new() { NumCpus = 4 });

    public async Task DisposeAsync() => await _ray.DisposeAsync();

    [Fact]
    public async Task Map_ManyValues_ResultsAreInOrder()
    {
        var pool = Pool(3);
        var results = new List<int>();

        await foreach (var result in pool.Map((actor, x) => actor.Double.Remote(x), Enumerable.Range(0, 200)))
            results.Add(result);

        Assert.Equal(Enumerable.Range(0, 200).Select(x => 2 * x), results);
    }

    [Fact]
    public async Task MapUnordered_ManyValues_EachResultOnce()
    {
        var pool = Pool(3);
        var results = new List<int>();

        await foreach (var result in pool.MapUnordered((actor, x) => actor.Double.Remote(x), Enumerable.Range(0, 200)))
            results.Add(result);

        Assert.Equal(Enumerable.Range(0, 200).Select(x => 2 * x), results.Order());
    }

    [Fact]
    public async Task Submit_MoreCallsThanActors_OneCallPerActor()
    {
        var pool = Pool(2);
        using var gate = new ManualResetEventSlim();
        for (var i = 0; i < 5; i++)
            pool.Submit((actor, x) => actor.Wait.Remote(x), new PoolDemo.Gate(gate, i));

        Assert.False(pool.HasFree);
        Assert.Null(pool.PopIdle());
        gate.Set();
        for (var i = 0; i < 5; i++)
            Assert.Equal(i, await pool.GetNext<int>());
        Assert.False(pool.HasNext);
        await Assert.ThrowsAsync<InvalidOperationException>(() => pool.GetNext<int>());
    }

    [Fact]
    public async Task GetNext_TimesOut_ResultStaysAvailable()
    {
        var pool = Pool(1);
        using var gate = new ManualResetEventSlim();
        pool.Submit((actor, x) => actor.Wait.Remote(x), new PoolDemo.Gate(gate, 7));

        await Assert.ThrowsAnyAsync<TimeoutException>(() => pool.GetNext<int>(TimeSpan.FromMilliseconds(5)));
        gate.Set();

        Assert.Equal(7, await pool.GetNext<int>());
    }

    [Fact]
    public async Task GetNextUnordered_SlowFirst_SecondComesFirst()
    {
        var pool = Pool(2);
        using var gate = new ManualResetEventSlim();
        pool.Submit((actor, x) => actor.Wait.Remote(x), new PoolDemo.Gate(gate, 1));
        pool.Submit((actor, x) => actor.Double.Remote(x), 1);

        Assert.Equal(2, await pool.GetNextUnordered<int>());
        var next = pool.GetNextUnordered<int>();
        gate.Set();
        Assert.Equal(1, await next);
        Assert.False(pool.HasNext);
    }

    [Fact]
    public async Task GetNext_CallThrows_ActorStaysUsable()
    {
        var pool = Pool(1);
        pool.Submit((actor, x) => actor.Throw.Remote(x), "bad");
        pool.Submit((actor, x) => actor.Double.Remote(x), 4);

        Assert.Equal("bad", (await Assert.ThrowsAsync<FormatException>(() => pool.GetNext<int>())).Message);
        Assert.Equal(8, await pool.GetNext<int>());
    }

    [Fact]
    public async Task Kill_Actors_OthersContinueAndLastDeathIsReported()
    {
        var (first, second) = (_ray.PoolDemo.Remote(), _ray.PoolDemo.Remote());
        var pool = new ActorPool<PoolDemo>(first, second);
        first.Kill();
        var told = 0;
        for (var i = 0; i < 4; i++)
            pool.Submit((actor, x) => actor.Double.Remote(x), i);
        for (var i = 0; i < 4; i++)
        {
            try
            {
                await pool.GetNext<int>();
            }
            catch (ActorDiedException)
            {
                told++;
            }
        }

        Assert.Equal(1, told);
        second.Kill();
        for (var i = 0; i < 2; i++)
            pool.Submit((actor, x) => actor.Double.Remote(x), i);
        for (var i = 0; i < 2; i++)
            await Assert.ThrowsAsync<ActorDiedException>(() => pool.GetNext<int>());
    }

    [Fact]
    public async Task Push_CallsWaiting_StartsThem()
    {
        var pool = Pool(1);
        using var gate = new ManualResetEventSlim();
        pool.Submit((actor, x) => actor.Wait.Remote(x), new PoolDemo.Gate(gate, 1));
        pool.Submit((actor, x) => actor.Double.Remote(x), 1);
        pool.Push(_ray.PoolDemo.Remote());

        Assert.Equal(2, await pool.GetNextUnordered<int>());
        gate.Set();
        Assert.Equal(1, await pool.GetNext<int>());
        Assert.NotNull(pool.PopIdle());
        Assert.NotNull(pool.PopIdle());
        Assert.Null(pool.PopIdle());
    }

    private ActorPool<PoolDemo> Pool(int actors) => new(Enumerable.Range(0, actors).Select(_ => _ray.PoolDemo.Remote()));
}
