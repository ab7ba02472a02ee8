using System.Text.Json;
using Serve.Hosting;
using Serve.Workflows;

namespace Serve.Cli.Tests.Verbs;

/// <summary>Commands that manage the workflows of this process, which they find as they would find those of another program.</summary>
[Collection("local APIs")]
public sealed class WorkflowCommandTests : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("serve-workflow-cli-").FullName;
    private Cluster _ray = null!;
    private WorkflowHost _host = null!;

    public async Task InitializeAsync()
    {
        _ray = await Cluster.Init(new() { NumCpus = 2, Observable = false });
        _host = await _ray.StartWorkflows(new() { Storage = Path.Combine(_folder, "workflows.db") });
        await Eventually.TrueAsync(() => LocalApiAnnouncement.OfWorkflowHosts().Find().Count > 0, () => "the workflow host is announced");
    }

    public async Task DisposeAsync()
    {
        await _host.DisposeAsync();
        await _ray.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
        Assert.Empty(LocalApiAnnouncement.OfWorkflowHosts().Find());
    }

    [Fact]
    public async Task Run_EventAndHistory_ReachTheWorkflow()
    {
        var started = await OkAsync("run", "AddNumbers", "[3]", "--id", "sum", "--metadata", "user=ann", "--no-wait");
        Assert.Equal("sum", started.Trim());
        Assert.Contains("RUNNING", await OkAsync("list", "--status", "running"), StringComparison.Ordinal);
        Assert.Contains("still running", (await RunAsync("output", "sum")).Error, StringComparison.Ordinal);

        Assert.Equal("sum: accepted", (await OkAsync("send-event", "sum", "number", "4", "--idempotency-key", "a")).Trim());

        Assert.Equal("8", (await OkAsync("output", "sum", "--wait", "20")).Trim());
        Assert.Equal("4", (await OkAsync("output", "sum", "--step", "Increment")).Trim());
        var history = await OkAsync("history", "sum");
        Assert.Contains("STEP_COMPLETED", history, StringComparison.Ordinal);
        Assert.Contains("Increment", history, StringComparison.Ordinal);
        Assert.Contains("user = ann", await OkAsync("status", "sum"), StringComparison.Ordinal);
        Assert.Single(JsonDocument.Parse(await OkAsync("list", "--metadata", "user=ann", "--json")).RootElement.EnumerateArray());
        Assert.Empty(JsonDocument.Parse(await OkAsync("list", "--metadata", "user=bob", "--json")).RootElement.EnumerateArray());
        Assert.Equal("sum: deleted", (await OkAsync("delete", "sum")).Trim());
        Assert.Contains("There is no workflow with id 'sum'", (await RunAsync("status", "sum")).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task CancelAndResume_FailedAndCanceledOnes_AreRepeated()
    {
        await OkAsync("run", "AddNumbers", "[1]", "--id", "waits", "--no-wait");
        Assert.Equal("waits: cancel requested", (await OkAsync("cancel", "waits", "--reason", "no time")).Trim());
        var canceled = await RunAsync("output", "waits", "--wait", "20");
        Assert.Contains("no time", canceled.Error, StringComparison.Ordinal);
        Assert.Equal(CliExitCode.Failed, canceled.Code);
        Assert.Equal("waits: resumed", (await OkAsync("resume", "waits")).Trim());
        await OkAsync("send-event", "waits", "number", "1");
        Assert.Equal("3", (await OkAsync("output", "waits", "--wait", "20")).Trim());

        await OkAsync("run", "AddNumbers", "[-1]", "--id", "fails", "--no-wait");
        Assert.Contains("negative", (await RunAsync("output", "fails", "--wait", "20")).Error, StringComparison.Ordinal);
        Assert.Equal("fails: resumed", (await OkAsync("resume-all", "--include-failed")).Trim());
    }

    [Theory]
    [InlineData(CliExitCode.Failed, "no workflow 'Nothing'", "run", "Nothing")]
    [InlineData(CliExitCode.Failed, "do not fit", "run", "AddNumbers", "[\"one\"]")]
    [InlineData(CliExitCode.Usage, "ARGUMENTS must be JSON", "run", "AddNumbers", "[1")]
    [InlineData(CliExitCode.Failed, "There is no workflow with id 'none'", "cancel", "none")]
    [InlineData(CliExitCode.Failed, "status must be one of", "list", "--status", "odd")]
    [InlineData(CliExitCode.Usage, "--metadata must be KEY=VALUE", "list", "--metadata", "odd")]
    [InlineData(CliExitCode.NoNode, "Process 1 runs no workflows", "list", "--pid", "1")]
    public async Task Run_BadInput_OneMessage(int code, string message, params string[] arguments)
    {
        var run = await RunAsync(arguments);

        Assert.Equal(code, run.Code);
        Assert.Contains(message, run.Error, StringComparison.Ordinal);
        Assert.Single(run.Error.TrimEnd().Split('\n'));
    }

    private static async Task<string> OkAsync(params string[] arguments)
    {
        var run = await RunAsync(arguments);
        Assert.True(run.Code == CliExitCode.Ok, run.Error);
        return run.Out;
    }

    private static Task<CapturedCommandRun> RunAsync(params string[] arguments) => CapturedCommandRun.OfAsync(["workflow", .. arguments]);
}

[Workflow]
public sealed class AddNumbers
{
    public async Task<int> Run(WorkflowContext ctx, int number)
    {
        if (number < 0)
            throw new InvalidOperationException("The number is negative.");
        var sum = await ctx.AddSteps.Increment.Run(number);
        return sum + await ctx.WaitForEvent<int>("number");
    }
}

public static class AddSteps
{
    [Step]
    public static int Increment(int number) => number + 1;
}
