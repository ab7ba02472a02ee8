using System.Text.Json;
using Serve.Testing;

namespace Serve.FunctionalTests;

/// <summary>All CLI verbs against a running node.</summary>
[Collection(FunctionalTestCollection.Name)]
public sealed class CliCommandFunctionalTests(SamplePackageFixture packages)
{
    [Fact]
    public async Task Verbs_RunningNode_AllSucceed()
    {
        await using var node = await TestNodeProcess.StartAsync();
        File.Copy(packages.Lab, node.Scratch.In("Lab.zip"));
        node.Scratch.Write("lab.yaml", """
            applications:
              - name: lab
                route_prefix: /lab
                import_path: Lab.zip
                deployments:
                  - name: Lab
                    num_replicas: 2
                    user_config: {greeting: hello}
            """);

        var deploy = await node.CliAsync("deploy", "lab.yaml");
        Assert.True(deploy.Code == 0, deploy.Errors);
        Assert.Contains($"lab  2/2 replicas  {node.GatewayAddress}/lab", deploy.Output, StringComparison.Ordinal);
        Assert.Equal("hello", await node.Gateway.GetStringAsync("/lab/greeting"));

        var status = await node.CliAsync("status");
        Assert.Equal(0, status.Code);
        Assert.Contains("Lab  HEALTHY  2/2 replicas", status.Output, StringComparison.Ordinal);
        using (var json = JsonDocument.Parse((await node.CliAsync("status", "--json")).Output))
            Assert.Equal("RUNNING", json.RootElement.GetProperty("applications").GetProperty("lab").GetProperty("status").GetString());

        var scale = await node.CliAsync("scale", "lab/Lab", "3");
        Assert.True(scale.Code == 0, scale.Errors);
        Assert.Contains("lab/Lab  3/3 replicas", scale.Output, StringComparison.Ordinal);

        await node.Gateway.GetStringAsync("/lab/say?text=word-from-user");
        var logs = (Code: 0, Output: "", Errors: "");
        await Eventually.TrueAsync(
            async () => (logs = await node.CliAsync("logs", "lab/Lab")).Output.Contains("said word-from-user", StringComparison.Ordinal), () => logs.ToString());
        Assert.Equal(0, logs.Code);

        // `deploy` accepts the output of `config`, without any change.
        var config = await node.CliAsync("config");
        node.Scratch.Write("again.yaml", config.Output);
        Assert.Contains("num_replicas: 3", config.Output, StringComparison.Ordinal);
        Assert.Contains("greeting: hello", config.Output, StringComparison.Ordinal);
        var before = (await node.WaitForReplicasAsync(3)).Select(replica => replica.ReplicaId).Order();
        Assert.Equal(0, (await node.CliAsync("deploy", "again.yaml")).Code);
        Assert.Equal(before, (await node.WaitForReplicasAsync(3)).Select(replica => replica.ReplicaId).Order());

        var delete = await node.CliAsync("delete", "lab");
        Assert.True(delete.Code == 0, delete.Errors);
        Assert.Contains("lab has been deleted.", delete.Output, StringComparison.Ordinal);
        Assert.Empty(await node.GetWorkerPidsAsync());

        var shutdown = await node.CliAsync("shutdown");
        Assert.True(shutdown.Code == 0, shutdown.Errors);
        Assert.Contains($"Node stopped: process {node.Process.Id}", shutdown.Output, StringComparison.Ordinal);
        Assert.Equal(0, await node.Process.WaitForExitAsync());
    }

    [Fact]
    public async Task Logs_Follow_PrintsNewLines()
    {
        await using var node = await TestNodeProcess.StartAsync(IsolationMode.None);
        await node.DeployAsync(packages.Lab);

        await using var follow = ServeCliProcess.Start(node.Scratch, "logs", "lab", "-f", "--address", node.AdminAddress);
        await Eventually.TrueAsync(() => follow.Output.Contains("ready", StringComparison.Ordinal), () => "existing lines");
        await node.Gateway.GetStringAsync("/lab/say?text=later");
        await Eventually.TrueAsync(() => follow.Output.Contains("said later", StringComparison.Ordinal), () => "new lines");
        follow.Signal(ServeCliProcess.Terminate);

        Assert.Equal(0, await follow.WaitForExitAsync());
    }

    [Fact]
    public async Task Run_SourceFile_ServesAndReleasesResources()
    {
        using var scratch = new ScratchDirectory();
        File.Copy(ServeExecutable.Sample("Lab.cs"), scratch.In("Lab.cs"));
        await using var run = ServeCliProcess.Start(scratch, "run", "Lab.cs", "--http-port", "0", "--admin-port", "0");
        var url = (await run.WaitForLineAsync("Lab  1/1 replicas  ")).Trim();
        await run.WaitForLineAsync("Ctrl+C stops everything.");
        Assert.Contains("building Lab.cs … done in", run.Errors, StringComparison.Ordinal);

        using var http = new HttpClient();
        Assert.EndsWith("/Lab", url, StringComparison.Ordinal);
        Assert.Equal("""{"count":1}""", await http.GetStringAsync(url));

        run.Signal(ServeCliProcess.Terminate);
        Assert.Equal(0, await run.WaitForExitAsync());
        Assert.Contains("All of its processes have exited.", run.Output, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(scratch.Temporary));
    }

    [Fact]
    public async Task Run_Reload_ServesNewCode()
    {
        using var scratch = new ScratchDirectory();
        File.Copy(ServeExecutable.Sample("Lab.cs"), scratch.In("Lab.cs"));
        await using var run = ServeCliProcess.Start(scratch, "run", "Lab.cs", "--reload", "--http-port", "0", "--admin-port", "0");
        var url = await run.WaitForLineAsync("Lab  1/1 replicas  ");
        await run.WaitForLineAsync("Ctrl+C stops everything.");
        using var http = new HttpClient();
        Assert.Equal("one", await http.GetStringAsync(url + "/version"));

        scratch.Write("Lab.cs", SamplePackageFixture.LabTwoSource());

        await Eventually.TrueAsync(async () => await http.GetStringAsync(url + "/version") == "two", run.ToString);
    }
}
