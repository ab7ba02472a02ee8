using System.Collections.Immutable;
using System.Runtime.CompilerServices;

namespace Serve.Runtime.Tests.Functions;

public sealed class ObjectRefTupleExtensionsTests
{
    [Fact]
    public async Task Deconstruct_ResultOfATask_GivesARefToEachItem()
    {
        await using var ray = await Cluster.Init(new() { Resources = ImmutableDictionary<string, double>.Empty.Add("disk", 1).Add("tpu", 1) });

        var (quotient, remainder) = ray.Demo.DivMod.Remote(7, 2);
        var (a, b, c, d, e, f, g, h) = ray.Put((1, "2", 3.0, '4', 5L, (byte)6, 7f, new[] { 8 }));

        Assert.Equal(3, await quotient);
        Assert.Equal(1, await remainder);
        Assert.Equal(4, await ray.Demo.Add.Remote(quotient, remainder));
        Assert.Equal((1, "2", 3.0, '4', 5L, (byte)6, 7f), (await a, await b, await c, await d, await e, await f, await g));
        Assert.Equal(8, (await h)[0]);
    }

    [Fact]
    public async Task Deconstruct_TaskThatFails_EachItemFailsAsItDoes()
    {
        await using var ray = await Cluster.Init();

        var (quotient, remainder) = ray.Demo.DivMod.Remote(7, 0);

        var thrown = await Assert.ThrowsAsync<DivideByZeroException>(async () => await quotient);
        Assert.Same(thrown, await Assert.ThrowsAsync<DivideByZeroException>(async () => await remainder));
    }

    [Fact]
    public async Task Deconstruct_TupleThatIsNotThere_ItemsComeWithIt()
    {
        await using var ray = await Cluster.Init();
        var tuple = new ObjectRef<(int, string)>(ray, new(1000));

        var (number, text) = tuple;
        Assert.False(number.IsReady || text.IsReady);
        var joined = ray.Run((x, y) => $"{x}{y}", number, text);
        tuple.TrySetResult((1, "a"));

        Assert.True(number.IsReady && text.IsReady);
        Assert.Equal("1a", await joined);
    }

    [Fact]
    public async Task Cancel_OfAnItem_CancelsTheTaskOfTheTuple()
    {
        await using var ray = await Cluster.Init(new() { NumCpus = 1 });
        var (never, _) = ray.Run(async stop =>
        {
            await Task.Delay(Timeout.Infinite, stop);
            return (1, 2);
        });

        ray.Cancel(never);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => never.AsTask().WaitAsync(TimeSpan.FromSeconds(30)));
        Assert.Equal(3, await ray.Run(() => 3).AsTask().WaitAsync(TimeSpan.FromSeconds(30)));
    }

    [Fact]
    public async Task Demand_OfAnItem_IsDemandOfTheTuple()
    {
        await using var ray = await Cluster.Init();
        var tuple = new FetchRecordingRef(ray);

        var (first, _) = tuple;
        Assert.Null(tuple.Fetched);
        first.RequestObject(fetch: true);

        Assert.True(tuple.Fetched);
    }

    [Fact]
    public async Task Deconstruct_TupleOfBytes_IsReadWhereNobodyWaits()
    {
        await using var ray = await Cluster.Init();
        var tuple = new ObjectRef<(int, int)>(ray, new(1000));
        using var loading = new FakeStoredBytes();

        var (first, second) = tuple;
        var settled = Task.Run(() => tuple.TrySetStored(loading));
        Assert.True(await settled.WaitAsync(TimeSpan.FromSeconds(30)));
        Assert.False(first.IsReady);
        loading.Go.Set();

        Assert.Equal(3, await first + await second);
    }

    [Fact]
    public async Task Deconstruct_ItemsThatAreThere_LetTheTupleGo()
    {
        await using var ray = await Cluster.Init();

        var (tuple, first) = Made(ray);
        GC.Collect();
        GC.WaitForPendingFinalizers();

        Assert.False(tuple.IsAlive);
        Assert.Equal(1, await first);
    }

    [Fact]
    public async Task TakeItem_WhereTheClusterIsElsewhere_IsATask()
    {
        await using var ray = await Cluster.Init();
        var function = LambdaRemoteFunction.Of((Func<(int, string), int, string>)TupleItemReader<(int, string), string>.Get, isAsync: false);

        Assert.Null(function.TransferObstacle);
        Assert.Equal("a", await Methods.FunctionTableOf(function, (1, "a"), 1));
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static (WeakReference Tuple, ObjectRef<int> First) Made(Cluster ray)
    {
        var tuple = ray.Put((1, new object()));
        var (first, _) = tuple;
        return (new(tuple), first);
    }

    private static class Methods
    {
        public static ValueTask<object?> FunctionTableOf(RemoteFunction function, params object?[] arguments) =>
            Runtime.Methods.RemoteFunctionTable.Resolve(function.Type, function.Method).InvokeAsync(null, arguments, CancellationToken.None);
    }

    private sealed class FetchRecordingRef(Cluster cluster) : ObjectRef<(int, int)>(cluster, new(1000))
    {
        public bool? Fetched { get; private set; }

        protected internal override void RequestObject(bool fetch) => Fetched = fetch;
    }

    private sealed class FakeStoredBytes : StoredObject, IDisposable
    {
        public ManualResetEventSlim Go { get; } = new();

        public override long Size => 8;

        public void Dispose() => Go.Dispose();

        public override object? Load(Type type)
        {
            Go.Wait();
            return (1, 2);
        }
    }
}
