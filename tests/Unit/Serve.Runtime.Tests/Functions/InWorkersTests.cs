using Serve.Runtime.TestWorker;
using Serve.Runtime.Testing;

namespace Serve.Runtime.Tests.Functions;

public sealed class InWorkersTests : IAsyncLifetime
{
    private Cluster _ray = null!;

    public async Task InitializeAsync() =>
        _ray = await Cluster.Init(new() { Isolation = Isolation.Process, WorkerCommand = [LocalAgentFixture.Executable, "worker"], Observable = false });

    public async Task DisposeAsync() => await _ray.DisposeAsync();

    [Fact]
    public async Task Remote_InAWorker_GivesWhatItGivesHere()
    {
        Assert.NotEqual(Environment.ProcessId, await _ray.Shapes.Pid.Remote());
        Assert.Equal("1:a", await _ray.Shapes.Join.Remote(1, "a"));
        Assert.Equal("1:a", await _ray.Shapes.Join.Remote(_ray.Put(1), _ray.Put("a")));
        Assert.Equal("1-a", await _ray.Shapes.Join.Remote(_ray.Put(1), "a", "-"));
    }

    [Fact]
    public async Task Deconstruct_TupleMadeInAWorker_ItemsAreArgumentsLikeOthers()
    {
        var (quotient, remainder) = _ray.Shapes.DivMod.Remote(7, 2);

        Assert.Equal("3:1", await _ray.Shapes.Join.Remote(quotient, remainder));
        Assert.Equal((3, "1"), await _ray.Get(quotient, remainder));
    }

    [Fact]
    public async Task Deconstruct_InsideAWorker_ItemsAreKnownToTheCluster() => Assert.Equal("3:1", await _ray.Shapes.Apart.Remote(7, 2));

    [Fact]
    public async Task Run_LambdaThatCapturesNothing_RunsInAWorker()
    {
        Assert.NotEqual(Environment.ProcessId, await _ray.Run(static () => Environment.ProcessId));
        Assert.Equal(42, await _ray.Run(static x => x * 2, 21));
        Assert.Equal(42, await _ray.Run(async x => await Task.FromResult(x * 2), _ray.Put(21)));
        Assert.Equal(42, await _ray.Shapes.Lambdas.Remote(21));
    }
}
