using Serve.Runtime.Clusters;
using Serve.Runtime.TestWorker;
using Serve.Runtime.Tests.Testing;

namespace Serve.Runtime.Tests.Sessions;

public sealed class TaskWorkersTests : IAsyncLifetime, IAsyncDisposable
{
    private readonly HeadCluster cluster = new(new() { WorkerCommand = [TestRuntime.Executable, "worker"] });

    public Task InitializeAsync() => Task.CompletedTask;

    Task IAsyncLifetime.DisposeAsync() => DisposeAsync().AsTask();

    public ValueTask DisposeAsync() => cluster.DisposeAsync();

    [Fact]
    public async Task Start_Function_RunsInAnotherProcess()
    {
        var pid = Start<int>(nameof(Jobs.Pid));
        var sum = Start<int>(nameof(Jobs.Add), 1, 2);

        Assert.NotEqual(Environment.ProcessId, await pid.Result.SoonAsync());
        Assert.Equal(3, await sum.Result.SoonAsync());
        Assert.StartsWith("cluster", sum.WorkerId, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_FunctionThatThrows_FailsAsItsOwn()
    {
        var attempt = Start<int>(nameof(Jobs.Fail), "as asked");

        var thrown = await Assert.ThrowsAsync<UserCodeException>(() => attempt.Result.SoonAsync());
        Assert.Equal("as asked", thrown.Message);
        Assert.Contains(nameof(Jobs.Fail), thrown.RemoteStack, StringComparison.Ordinal);
        Assert.IsType<InvalidOperationException>(thrown.InnerException);
        Assert.False(attempt.IsSystem);
    }

    [Fact]
    public async Task Start_WorkerExits_FailsAsTheSystems()
    {
        var attempt = Start<int>(nameof(Jobs.Crash));

        var thrown = await Assert.ThrowsAsync<WorkerDiedException>(() => attempt.Result.SoonAsync());
        Assert.Contains("code 7", thrown.Message, StringComparison.Ordinal);
        Assert.True(attempt.IsSystem);
    }

    private FakeAttempt<T> Start<T>(string method, params object?[] arguments)
    {
        var attempt = new FakeAttempt<T>(cluster, new(typeof(Jobs), method, false, new()), arguments);
        cluster.Workers.Tasks.Start(attempt);
        return attempt;
    }
}
