using System.Text.Json;
using Serve.Admin;
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
    public async Task Deploy_SourceThenConfigs_PrintsBuildRemovalAndFailureOnce()
    {
        await using var node = await TestNodeProcess.StartAsync();
        var source = node.Scratch.Write("Fresh.cs", $"// {node.Scratch.Path}\n" + File.ReadAllText(ServeExecutable.Sample("Lab.cs")));
        node.Scratch.Write("other.yaml", $$"""{"applications": [{"name": "other", "route_prefix": "/other", "import_path": "{{packages.Lab}}"}]}""");
        node.Scratch.Write("broken.yaml", $$"""
            {"applications": [{"name": "other", "route_prefix": "/other", "import_path": "{{packages.LabBroken}}", "deployments": [{"name": "Lab", "max_constructor_retry_count": 1}]}]}
            """);

        var built = await node.CliAsync("deploy", source);
        Assert.True(built.Code == 0, built.Errors);
        Assert.Matches(@"building \S*Fresh\.cs … done in \d", built.Errors);
        var again = await node.CliAsync("deploy", source);
        Assert.Equal((0, ""), (again.Code, again.Errors));

        var replaced = await node.CliAsync("deploy", "other.yaml");
        Assert.True(replaced.Code == 0, replaced.Errors);
        Assert.Contains("Fresh: deleted, because the config does not list it.", replaced.Output, StringComparison.Ordinal);

        var failed = await node.CliAsync("deploy", "broken.yaml");
        Assert.Equal(1, failed.Code);
        Assert.Single(failed.Errors.Split('\n'), line => line.Contains("the reactor is cold", StringComparison.Ordinal));

        var logs = await node.CliAsync("logs", "nosuch");
        Assert.Equal("serve: No application is named 'nosuch'. Applications: other.", logs.Errors.Trim());
        var gateway = await ServeCliProcess.RunAsync(node.Scratch, "status", "--address", node.GatewayAddress);
        Assert.Contains("is not the admin API of a node", gateway.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_Config_SetsHttpOptionsAndApplications()
    {
        using var scratch = new ScratchDirectory();
        var config = scratch.Write("node.yaml", $$"""
            http_options: {root_path: /api, max_request_body_bytes: 10, request_timeout_s: 7}
            applications:
              - {name: lab, route_prefix: /lab, import_path: {{packages.Lab}} }
            """);
        await using (var node = await TestNodeProcess.StartAsync(IsolationMode.None, scratch, "--config", config, "--root-path", "/over"))
        {
            await node.WaitForStatusAsync(ApplicationStatus.Running);
            Assert.Equal("one", await node.Gateway.GetStringAsync("/over/lab/version"));
            using var large = await node.Gateway.PostAsync("/over/lab/version", new StringContent("12345678901"));
            Assert.Equal(System.Net.HttpStatusCode.RequestEntityTooLarge, large.StatusCode);
            Assert.Equal(7, (await node.Admin.GetStatusAsync()).HttpOptions!.RequestTimeoutS);
            Assert.Contains($"{node.GatewayAddress}/over/lab", (await node.CliAsync("status")).Output, StringComparison.Ordinal);
            await node.StopAsync();
        }

        // Without the key, the applications stay.
        scratch.Write("node.yaml", "http_options: {root_path: /api}");
        await using var again = await TestNodeProcess.StartAsync(IsolationMode.None, scratch, "--config", config);
        await again.WaitForStatusAsync(ApplicationStatus.Running);
        Assert.Equal("one", await again.Gateway.GetStringAsync("/api/lab/version"));
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
