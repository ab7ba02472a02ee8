using System.Net;
using System.Net.Http.Json;
using Serve.Admin;
using Serve.Testing;

namespace Serve.FunctionalTests;

/// <summary>A deployment that uses the node's cluster: tasks, objects and an actor, in each isolation mode, and the state API for them.</summary>
[Collection(FunctionalTestCollection.Name)]
public sealed class NodeClusterFunctionalTests(SamplePackageFixture packages)
{
    [Theory]
    [InlineData(IsolationMode.None)]
    [InlineData(IsolationMode.Application)]
    public async Task Deployment_TasksAndObjects_SameResultsInEachIsolation(IsolationMode isolation)
    {
        await using var node = await TestNodeProcess.StartAsync(isolation);
        await node.DeployAsync(packages.Work, name: "steps");

        Assert.Equal("22.5", await node.Gateway.GetStringAsync("/steps/sum?n=10"));
        Assert.Equal("1000", await node.Gateway.GetStringAsync("/steps/put?n=1000"));
        Assert.Equal("300000", await node.Gateway.GetStringAsync("/steps/put?n=300000"));
        Assert.Equal("101", await node.Gateway.GetStringAsync("/steps/add?n=1"));
        Assert.Equal("103", await node.Gateway.GetStringAsync("/steps/add?n=2"));
        Assert.Equal("true", await node.Gateway.GetStringAsync("/steps/current"));
        await IsolationFunctionalTests.AssertProblemAsync(await node.Gateway.GetAsync("/steps/throw"), HttpStatusCode.InternalServerError, "user_exception", "a task of a deployment");

        // Tasks do not run in a worker that is reserved for replicas.
        var where = await node.Gateway.GetFromJsonAsync<int[]>("/steps/where");
        Assert.Equal(isolation == IsolationMode.None, where![0] == node.Process.Id);
        Assert.Equal(isolation == IsolationMode.None, where[1] == node.Process.Id);
    }

    [Fact]
    public async Task State_NodeCluster_ListedByAdminApiAndCli()
    {
        await using var node = await TestNodeProcess.StartAsync(IsolationMode.None);
        await node.DeployAsync(packages.Work, name: "steps");
        await node.Gateway.GetStringAsync("/steps/sum?n=3");
        await node.Gateway.GetAsync("/steps/throw");
        await node.Gateway.GetStringAsync("/steps/add?n=1");

        using var state = new StateClient(node.AdminAddress, new() { Token = node.Token });
        Assert.Equal(3, (await state.ListAsync<TaskState>("tasks", [new("name", "Steps.Half"), new("state", "FINISHED")])).NumFiltered);
        var failed = Assert.Single((await state.ListAsync<TaskState>("tasks", [new("state", "FAILED")])).Result);
        Assert.Contains("a task of a deployment", failed.ErrorMessage, StringComparison.Ordinal);
        Assert.Equal("Tally", Assert.Single((await state.ListAsync<ActorState>("actors")).Result).ClassName);

        var (code, output, _) = await node.CliAsync("list", "tasks", "--filter", "state=FAILED");
        Assert.Equal(0, code);
        Assert.Contains("Steps.Throw", output, StringComparison.Ordinal);
        Assert.DoesNotContain("Steps.Half", output, StringComparison.Ordinal);
        Assert.Contains("Tally", (await node.CliAsync("list", "actors")).Output, StringComparison.Ordinal);
        Assert.Contains("Steps.Half", (await node.CliAsync("summary")).Output, StringComparison.Ordinal);
        Assert.Contains("process", (await node.CliAsync("memory")).Output, StringComparison.Ordinal);
        Assert.Contains("\"traceEvents\"", (await node.CliAsync("timeline", "-o", "-")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task State_ObjectsAndWorkers_ListedByCli()
    {
        await using var node = await TestNodeProcess.StartAsync(IsolationMode.Application);
        await node.DeployAsync(packages.Work, name: "steps");
        await node.Gateway.GetStringAsync("/steps/hold?n=1000000");
        var pids = (await node.GetWorkerPidsAsync()).ConvertAll(pid => $"{pid}");

        var objects = (await node.CliAsync("list", "objects", "--filter", "created_by=Put")).Output;
        Assert.Matches(@"7\.6 MiB +shared_memory +double\[\] +Put +1", objects);
        var workers = (await node.CliAsync("list", "workers")).Output;
        Assert.All(pids, pid => Assert.Contains(pid, workers, StringComparison.Ordinal));
        Assert.Contains("tasks", workers, StringComparison.Ordinal);
        Assert.Matches(@"shared_memory +1 +7\.6 MiB", (await node.CliAsync("summary", "objects")).Output);
        var memory = (await node.CliAsync("memory")).Output;
        Assert.Contains("objects in shared_memory: 7.6 MiB", memory, StringComparison.Ordinal);
        Assert.All(pids, pid => Assert.Contains($"(pid {pid}): ", memory, StringComparison.Ordinal));
        var events = (await node.CliAsync("timeline", "-o", "-")).Output;
        Assert.Contains("Steps.First", events, StringComparison.Ordinal);
    }

    [Fact]
    public async Task State_RequestFromAnotherSite_Rejected()
    {
        await using var node = await TestNodeProcess.StartAsync(IsolationMode.None);
        using var http = new HttpClient { BaseAddress = new(node.AdminAddress) };
        http.DefaultRequestHeaders.Add("Origin", "http://evil.example");
        Assert.Equal(HttpStatusCode.Forbidden, (await http.GetAsync("/api/v0/tasks")).StatusCode);
    }
}
