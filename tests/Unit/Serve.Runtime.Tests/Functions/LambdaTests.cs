using Serve.Runtime.Methods;

namespace Serve.Runtime.Tests.Functions;

public sealed class LambdaTests
{
    private static readonly ClusterOptions InWorkers = new() { Isolation = Isolation.Process };
    private readonly int _field = 5;

    [Fact]
    public async Task Run_LambdasOfEveryShape_GiveTheirResults()
    {
        await using var ray = await Cluster.Init();
        var (ran, three) = (0, ray.Put(3));

        await ray.Run(() => { ran++; });
        await ray.Run(async () => { await Task.Yield(); ran++; });
        await ray.Run(async stop => { await Task.Delay(1, stop); ran++; });
        await ray.Run(x => { ran += x; }, 1);
        await ray.Run(x => { ran += x; }, three);
        await ray.Run(async x => { await Task.Yield(); ran += x; }, three);

        Assert.Equal(10, ran);
        Assert.Equal(42, await ray.Run(static () => 42));
        Assert.Equal(43, await ray.Run(async () => await Task.FromResult(43)));
        Assert.True(await ray.Run(stop => !stop.IsCancellationRequested));
        Assert.Equal(6, await ray.Run(static x => x * 2, 3));
        Assert.Equal(6, await ray.Run(static x => x * 2, three));
        Assert.Equal("3!", await ray.Run(async x => await Task.FromResult($"{x}!"), three));
        Assert.Equal(7, await ray.Run((x, y) => x + y, three, ray.Put(4)));
        Assert.Equal(7, await ray.Run(async (x, y) => await Task.FromResult(x + y), 3, 4));
        Assert.Equal(9, await ray.Run(Square, 3, new() { Name = "nine", NumCpus = 0.5 }));
    }

    [Fact]
    public async Task Run_LambdaThatThrows_SoDoesGet()
    {
        await using var ray = await Cluster.Init();

        var thrown = await Assert.ThrowsAsync<InvalidOperationException>(async () => await ray.Run(int () => throw new InvalidOperationException("as asked")));

        Assert.Contains("as asked", thrown.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_CapturingLambdaInAWorker_SaysAtOnceWhatItCaptures()
    {
        await using var ray = await Cluster.Init(InWorkers);
        var (text, numbers) = ("a", new[] { 1 });

        var one = Assert.Throws<NotSerializableException>(() => ray.Run(() => text.Length));
        var two = Assert.Throws<NotSerializableException>(() => ray.Run(() => numbers.Length + text.Length + _field));
        var instance = Assert.Throws<NotSerializableException>(() => ray.Run(OfThis));
        var joined = Assert.Throws<NotSerializableException>(() => ray.Run((Action)(static () => { }) + (static () => { })));

        Assert.Contains("lambda in LambdaTests.Run_CapturingLambdaInAWorker_SaysAtOnceWhatItCaptures", one.Message, StringComparison.Ordinal);
        Assert.Contains("'text'", one.Message, StringComparison.Ordinal);
        Assert.Contains("'numbers'", two.Message, StringComparison.Ordinal);
        Assert.Contains("this", two.Message, StringComparison.Ordinal);
        Assert.Contains("an instance of LambdaTests", instance.Message, StringComparison.Ordinal);
        Assert.Contains("multicast delegate", joined.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_CapturingLambda_IsRefusedOnlyWhereItWouldTravel()
    {
        var captured = 3;
        await using var here = await Cluster.Init();
        Assert.Equal(3, await here.Run(() => captured));
        TaskOptions inWorker = new() { Isolation = Isolation.Process };
        Assert.Throws<NotSerializableException>(() => here.Run(() => captured, inWorker));
        await using var there = await Cluster.Init(InWorkers);
        Assert.Throws<NotSerializableException>(() => there.Run(() => captured));
        Assert.Throws<NotSerializableException>(() => there.Run(() => captured, new() { NumCpus = 1 }));
        Assert.Equal(3, await there.Run(() => captured, new() { Isolation = Isolation.None }));
    }

    [Fact]
    public void LambdaFunction_WhatTravels_IsFoundAgainByTypeAndName()
    {
        var captured = 3;

        Assert.Equal(42, Resolved(static () => 42));
        Assert.Equal(42, Resolved(() => 42));
        Assert.Equal(9, Resolved((Func<int, int>)Square, 3));
        Assert.Equal("s", Resolved((Func<string, string>)Same, "s"));
        Assert.Equal(8, Resolved((Func<int, int>)Local, 4));
        Assert.Null(LambdaRemoteFunction.Of(static () => 42, isAsync: false).TransferObstacle);
        Assert.NotNull(LambdaRemoteFunction.Of(() => captured, isAsync: false).TransferObstacle);
        Assert.Null(CompilerClosureTypes.FindSingleton(((Func<int>)(() => captured)).Method.DeclaringType!));
        Assert.Equal("LambdaTests.LambdaFunction_WhatTravels_IsFoundAgainByTypeAndName.Local", LambdaRemoteFunction.Of((Func<int, int>)Local, isAsync: false).Name);

        static int Local(int x) => 2 * x;
    }

    private static object? Resolved(Delegate work, params object?[] arguments)
    {
        var function = LambdaRemoteFunction.Of(work, isAsync: false);
        Assert.Null(function.TransferObstacle);
        return RemoteFunctionTable.Resolve(function.Type, function.Method).InvokeAsync(null, arguments, CancellationToken.None).Result;
    }

    private static int Square(int x) => x * x;

    private static string Same(string text) => text;

    internal static int Same(int number) => number;

    private int OfThis() => _field;
}
