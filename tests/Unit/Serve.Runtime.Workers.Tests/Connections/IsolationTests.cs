using Serve.Runtime.Clusters;
using Serve.Runtime.TestWorker;
using Serve.Runtime.Testing;
using Serve.Runtime.Workers.Processes;

namespace Serve.Runtime.Workers.Tests.Connections;

/// <summary>The same code gives the same results on threads of this process and in worker processes.</summary>
public sealed class IsolationTests
{
    public static TheoryData<string, Func<Cluster, Task<string>>> Functions { get; } = new()
    {
        { "int", async ray => Text(await ray.Jobs.Add.Remote(1, 2)) },
        { "nothing", async ray => Text(await ray.Jobs.Nothing.Remote()) },
        { "array", async ray => Text(await ray.Jobs.Scale.Remote([1, 2.5, double.NaN], 2)) },
        { "async", async ray => Text(await ray.Jobs.Later.Remote("hello")) },
        { "record", async ray => Text(await ray.Jobs.Older.Remote(new Jobs.Person("Ann", 41))) },
        { "null", async ray => Text(await ray.Jobs.Older.Remote((Jobs.Person?)null)) },
        { "tuple", async ray => Text(await ray.Jobs.DivMod.Remote(17, 5)) },
        { "dictionary", async ray => Text((await ray.Jobs.Group.Remote(new List<string> { "one", "two", "three" })).Select(pair => $"{pair.Key}:{string.Join(',', pair.Value)}").Order()) },
        { "refs", async ray => Text(await ray.Jobs.Add.Remote(ray.Jobs.Add.Remote(1, 2), ray.Put(4))) },
        { "nested", async ray => Text(await ray.Jobs.Sum.Remote(20)) },
        { "nested async", async ray => Text(await ray.Jobs.SumLater.Remote(20)) },
        { "ref as a result", async ray => Text(await (await ray.Jobs.Inner.Remote(5))) },
        { "ref as an argument", async ray => Text(await ray.Jobs.Open.Remote(ray.Jobs.Inner.Remote(5).GetResult())) },
        { "wait and get inside", async ray => Text(await ray.Jobs.Fan.Remote(30)) },
        { "failure", async ray => await FailureAsync(async () => await ray.Jobs.Fail.Remote("as asked")) },
        { "late failure", async ray => await FailureAsync(async () => await ray.Jobs.FailLater.Remote("as asked")) },
        { "failure through dependents", async ray => await FailureAsync(async () => await ray.Jobs.Add.Remote(ray.Jobs.Add.Remote(ray.Jobs.Fail.Remote("first"), 1), 2)) },
        { "failure inside", async ray => Text(await ray.Jobs.FailInside.Remote()) },
        { "unusual failure", async ray => await FailureAsync(async () => await ray.Jobs.ThrowUnusual.Remote()) },
        { "failure with fields", async ray => await FailureAsync(async () => await ray.Jobs.ThrowWithFields.Remote(5)) },
        { "caught failure", async ray => await CatchAsync(ray) },
        { "failure of a map", async ray => Text((await Assert.ThrowsAsync<UserCodeException>(() => ray.Map(ray.Jobs.ThrowWithFields, [5]))).InnerException!.Message) },
        { "states", async ray => Text(await ray.Jobs.States.Remote()) },
    };

    [Theory]
    [MemberData(nameof(Functions))]
    public async Task Task_InEitherIsolation_GivesTheSame(string name, Func<Cluster, Task<string>> function)
    {
        Assert.NotEmpty(name);
        await using var here = new DriverCluster(new() { NumCpus = 1 }, ProgramWorkerLauncher.StartWorkers);
        await using var there = new DriverCluster(new() { NumCpus = 1, Isolation = Isolation.Process, WorkerCommand = [LocalAgentFixture.Executable, "worker"] }, ProgramWorkerLauncher.StartWorkers);

        var expected = await function(here).SoonAsync();

        Assert.Equal(expected, await function(there).SoonAsync());
    }

    [Fact]
    public async Task Task_InAWorker_ExceptionHasRemoteStackAndInnerExceptions()
    {
        await using var ray = new DriverCluster(new() { NumCpus = 1, Isolation = Isolation.Process, WorkerCommand = [LocalAgentFixture.Executable, "worker"] }, ProgramWorkerLauncher.StartWorkers);

        var thrown = await Assert.ThrowsAsync<Jobs.CodedException>(async () => await ray.Jobs.ThrowWithFields.Remote(5)).SoonAsync();
        var other = await Assert.ThrowsAsync<UserCodeException>(async () => await ray.Jobs.ThrowUnsendable.Remote()).SoonAsync();

        Assert.Contains("Jobs.ThrowWithFields", thrown.ToString(), StringComparison.Ordinal);
        Assert.Contains("Jobs.ThrowInner", thrown.ToString(), StringComparison.Ordinal);
        Assert.Contains(nameof(Task_InAWorker_ExceptionHasRemoteStackAndInnerExceptions), thrown.ToString(), StringComparison.Ordinal);
        Assert.Equal(typeof(Jobs.UnsendableException).FullName, other.ExceptionType);
        Assert.Contains("Jobs.ThrowUnsendable", other.RemoteStack, StringComparison.Ordinal);
        Assert.Contains("its Cleanup is of type Action: a delegate", other.TransferObstacle, StringComparison.Ordinal);
    }

    private static async Task<string> CatchAsync(Cluster ray)
    {
        try
        {
            return Text(await ray.Jobs.ThrowWithFields.Remote(5));
        }
        catch (Jobs.CodedException thrown)
        {
            return $"{thrown.Code} {string.Join(',', thrown.Details)}";
        }
    }

    private static string Text<T>(T value) => value switch
    {
        null => "null",
        string text => text,
        System.Collections.IEnumerable items => string.Join(' ', items.Cast<object>()),
        _ => value.ToString()!,
    };

    private static async Task<string> FailureAsync(Func<Task> call)
    {
        var thrown = await Record.ExceptionAsync(call);
        Assert.NotNull(thrown);
        Assert.Contains("Jobs", thrown.StackTrace, StringComparison.Ordinal);
        return $"{thrown.GetType()} {thrown.Message} inner {thrown.InnerException?.GetType()} {thrown.InnerException?.Message} data {thrown.Data["key"]}";
    }
}
