using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Serve.Specs;
using Serve.Testing;

namespace Serve.FunctionalTests;

/// <summary>The sample deployment whose workflows wait for approvals: in workers, managed over the admin API.</summary>
[Collection(FunctionalTestCollection.Name)]
public sealed class WorkflowDeploymentTests
{
    [Fact]
    public async Task Approve_WorkerKilledWhileWorkflowWaits_ContinuesInTheNextOne()
    {
        using var scratch = new ScratchDirectory();
        var package = scratch.In("Approval.zip");
        // Built with the solution: a build here would write into folders that other tests read.
        var (code, _, errors) = await ServeCliProcess.RunAsync(scratch, "build", Path.Combine(ServeExecutable.Root, "artifacts", "bin", "Approval", "release", "Approval.dll"), "-o", package);
        Assert.True(code == 0, errors);
        await using var node = await TestNodeProcess.StartAsync(IsolationMode.Application, scratch);
        await node.DeployAsync(package, new ApplicationConfig
        {
            Name = "approval",
            RoutePrefix = "/expenses",
            ImportPath = "",
            Args = new() { ["storage"] = scratch.In("expenses.db") },
        });
        using var posted = await node.Gateway.PostAsJsonAsync("/expenses", new { id = "trip", by = "ann", amount = 120 });
        Assert.True(posted.IsSuccessStatusCode, await posted.Content.ReadAsStringAsync());
        await Eventually.TrueAsync(async () => JsonNode.Parse((await node.CliAsync("workflow", "list", "--json")).Output) is JsonArray { Count: 1 }, () => "the workflow is listed");

        System.Diagnostics.Process.GetProcessById((await node.GetWorkerPidsAsync()).Single()).Kill();

        await Eventually.TrueAsync(
            async () => (await node.CliAsync("workflow", "send-event", "trip", "decision", """{"yes":true,"by":"bob"}""", "--idempotency-key", "once")).Code == 0, () => "the event is accepted");
        await Eventually.TrueAsync(async () => (await node.Gateway.GetStringAsync("/expenses/trip")).Contains("\"paid\":true", StringComparison.Ordinal), () => "the expense is paid");
        var late = await node.CliAsync("workflow", "send-event", "trip", "decision", "1");
        Assert.Contains("has ended", late.Errors, StringComparison.Ordinal);
    }
}
