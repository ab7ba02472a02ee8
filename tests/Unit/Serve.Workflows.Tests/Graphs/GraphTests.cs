using System.Collections.Immutable;

namespace Serve.Workflows.Tests.Graphs;

/// <summary>Functions of graphs.</summary>
public static class Calc
{
    [Remote]
    public static int[] ReadData(int count) => [.. Enumerable.Range(1, count)];

    [Remote]
    public static int[] Double(int[] data) => [.. data.Select(x => x * 2)];

    [Remote]
    public static double Aggregate(int[] data, double factor = 1) => data.Sum() * factor;

    [Remote]
    public static long Multiply(long a, long b) => a * b;

    [Remote]
    public static Workflow<long> Factorial(long n) => n == 1
        ? Workflow.Value(1L)
        : Workflow.Continue(Cluster.Current.Calc.Multiply.Bind(n, Cluster.Current.Calc.Factorial.Bind(n - 1)));

    [Remote]
    public static Workflow<long> CountDown(long n) => n == 0 ? Workflow.Value(0L) : Workflow.Continue(Cluster.Current.Calc.CountDown.Bind(n - 1));

    [Remote]
    public static int Broken(int x) => throw new InvalidDataException($"no {x}");

    [Remote]
    public static string Describe(StepResult<int> result) => result.Error is { } error ? error.Message : $"{result.Value}";

    [Remote]
    public static string Join(string? nothing, string text) => $"{nothing ?? "null"} {text}";

    [Remote]
    public static ObjectRef<int[]> PutData(int count) => Cluster.Current.Put(Enumerable.Range(0, count).ToArray());

    [Remote]
    public static async Task<int> SumOf(ObjectRef<int[]> data) => (await data).Sum();
}

/// <summary>Ray's style: graphs bound from remote functions.</summary>
public sealed class GraphTests
{
    [Fact]
    public async Task Run_BoundFunctions_SharesCommonNodesAndNamesSteps()
    {
        await using var fixture = await WorkflowFixture.Start();
        var ray = fixture.Cluster;
        var data = ray.Calc.ReadData.Bind(10);
        var twice = ray.Calc.Double.Bind(data);
        var sum = ray.Calc.Aggregate.Bind(twice, 0.5).Options(new() { Name = "sum", Metadata = new Dictionary<string, string> { ["unit"] = "m" } });

        Assert.Equal(55, await ray.Workflows.Run(sum, id: "sum").SoonAsync());
        Assert.Equal(55, await ray.Workflows.Run(sum, id: "sum").SoonAsync());
        Assert.Equal(["ReadData", "Double", "sum"], ray.Workflows.GetHistory("sum").Select(entry => entry.Name));
        Assert.Equal("m", ray.Workflows.GetStep("sum", "sum").Metadata["unit"]);
        Assert.Equal(20, (await ray.Workflows.GetOutput<int[]>("sum", "Double"))[9]);
    }

    [Fact]
    public async Task Run_Continuation_ReplacesTheCall()
    {
        await using var fixture = await WorkflowFixture.Start();

        Assert.Equal(3_628_800, await fixture.Host.Run(fixture.Cluster.Calc.Factorial.Bind(10)).SoonAsync());
    }

    [Fact]
    public async Task Run_LongTailOfContinuations_DoesNotNest()
    {
        await using var fixture = await WorkflowFixture.Start();

        Assert.Equal(0, await fixture.Host.Run(fixture.Cluster.Calc.CountDown.Bind(500)).SoonAsync());
    }

    [Fact]
    public async Task Run_LongChainOfCalls_DoesNotOverflowTheStack()
    {
        await using var fixture = await WorkflowFixture.Start();
        var chain = fixture.Cluster.Calc.Multiply.Bind(1, 1);
        for (var i = 0; i < 20_000; i++)
            chain = fixture.Cluster.Calc.Multiply.Bind(chain, 1);

        var handle = await fixture.Host.RunAsync(chain);
        await Eventually.TrueAsync(() => fixture.Host.GetHistory(handle.Id).Count > 10);
        await fixture.Restart();

        await Eventually.TrueAsync(() => fixture.Host.GetHistory(handle.Id).Count > 100);
    }

    [Fact]
    public async Task Run_RecursionWithoutEnd_NamesTheWorkflow()
    {
        await using var fixture = await WorkflowFixture.Start(new() { MaxDepth = 50 });

        var failure = await Assert.ThrowsAsync<WorkflowFailedException>(() => fixture.Host.Run(fixture.Cluster.Calc.CountDown.Bind(1000), id: "down").SoonAsync());

        Assert.Equal("Workflow 'down' failed: Workflow 'down' continued more than 50 times. Check its recursion.", failure.Message);
    }

    [Fact]
    public async Task Catch_FailedAndSuccessfulCalls_ReturnsErrorOrValue()
    {
        await using var fixture = await WorkflowFixture.Start();
        var ray = fixture.Cluster;

        Assert.Equal("no 5", await ray.Workflows.Run(ray.Calc.Describe.Bind(ray.Calc.Broken.Bind(5).Catch())).SoonAsync());
        var failure = await Assert.ThrowsAsync<WorkflowFailedException>(() => ray.Workflows.Run(ray.Calc.Broken.Bind(6)).SoonAsync());
        Assert.Equal("System.IO.InvalidDataException", failure.Error.Type);
    }

    [Fact]
    public async Task SleepAndEvents_AreNodes()
    {
        await using var fixture = await WorkflowFixture.Start();
        var graph = fixture.Cluster.Calc.Join.Bind(Nothing(Workflow.Sleep(TimeSpan.FromMilliseconds(5))), Workflow.WaitForEvent<string>("name"));

        var handle = await fixture.Host.RunAsync(graph, id: "nodes", metadata: new() { ["kind"] = "test" });
        await fixture.Restart();
        await fixture.Host.SendEvent("nodes", "name", "ann");

        Assert.Equal("null ann", await fixture.Host.GetOutput<string>("nodes").SoonAsync());
        Assert.Equal("test", fixture.Host.GetMetadata("nodes").Metadata["kind"]);

        static WorkflowNode<string?> Nothing(WorkflowNode<object?> sleep) => sleep.As<string?>();
    }

    [Fact]
    public async Task ObjectRef_AsResult_IsStoredByContent()
    {
        await using var fixture = await WorkflowFixture.Start();
        var ray = fixture.Cluster;

        Assert.Equal(45, await ray.Workflows.Run(ray.Calc.SumOf.Bind(ray.Calc.PutData.Bind(10)), id: "refs").SoonAsync());
        Assert.Equal(10, (await ray.Workflows.GetOutput<int[]>("refs", "PutData")).Length);
    }

    [Fact]
    public async Task Options_Stored_KeepValuesAndNamesOfExceptionTypes()
    {
        await using var fixture = await WorkflowFixture.Start();
        var json = fixture.Host.Engine.Json;
        var options = new StepOptions
        {
            Name = "step", MaxRetries = 2, RetryOn = [typeof(IOException)], Backoff = TimeSpan.FromSeconds(3), NumCpus = 0.5,
            Resources = ImmutableDictionary.CreateRange([KeyValuePair.Create("disk", 1.5)]), Isolation = Isolation.Process, Metadata = new Dictionary<string, string> { ["a"] = "b" },
        };

        var text = json.Write(options.ToStored(), typeof(StepOptions), "The options");
        var read = json.Read<StepOptions>(text)!;

        Assert.Contains("\"RetryOn\":[\"System.IO.IOException\"]", text, StringComparison.Ordinal);
        Assert.Null(read.RetryOn);
        Assert.Equal(["System.IO.IOException"], read.RetryOnNames);
        Assert.NotNull(read.RetryDelay(new FileNotFoundException(), 1));
        Assert.Null(read.RetryDelay(new InvalidOperationException(), 1));
        Assert.Equal(
            (options.Name, options.MaxRetries, options.Backoff, options.NumCpus, 1.5, options.Isolation, "b"),
            (read.Name, read.MaxRetries, read.Backoff, read.NumCpus, read.Resources!["disk"], read.Isolation, read.Metadata!["a"]));
    }

    [Fact]
    public async Task Steps_OutsideOfWorkflowCode_SaySo()
    {
        await using var fixture = await WorkflowFixture.Start();

        Assert.Contains("Steps run in workflow code only", Assert.Throws<InvalidOperationException>(() => { _ = fixture.Host.Steps.Add.Run(1, 2); }).Message, StringComparison.Ordinal);
    }
}
