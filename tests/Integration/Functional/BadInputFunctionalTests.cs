using System.Net;
using System.Net.Sockets;
using Serve.Specs;
using Serve.Testing;

namespace Serve.FunctionalTests;

/// <summary>Invalid input: one clear message, a failing exit code, and no partial changes.</summary>
[Collection(FunctionalTestCollection.Name)]
public sealed class BadInputFunctionalTests(SamplePackageFixture packages)
{
    [Fact]
    public async Task Deploy_InvalidCode_ReportsErrorAndDeploysNothing()
    {
        await using var node = await TestNodeProcess.StartAsync(IsolationMode.None);
        var cases = new[]
        {
            ("using Serve;\n[Deployment]\npublic sealed class A { public int Call() => nothing; }\n", "(3,46): error CS0103"),
            ("public sealed class A { public int Call() => 1; }\n", "[Deployment]"),
            ("using Serve;\n[Deployment(\"X\")] public sealed class A { public int Call() => 1; }\n[Deployment(\"X\")] public sealed class B { public int Call() => 1; }\n", "X"),
        };
        foreach (var (source, expected) in cases)
        {
            node.Scratch.Write("A.cs", source);
            var deploy = await node.CliAsync("deploy", "A.cs");
            Assert.Equal(1, deploy.Code);
            Assert.Contains(expected, deploy.Errors, StringComparison.Ordinal);
            Assert.DoesNotContain("   at ", deploy.Errors, StringComparison.Ordinal);
        }

        Assert.Empty((await node.Admin.GetStatusAsync()).Applications);
    }

    [Fact]
    public async Task Deploy_InvalidConfig_ReportsErrorAndDeploysNothing()
    {
        await using var node = await TestNodeProcess.StartAsync(IsolationMode.None);
        File.Copy(packages.Lab, node.Scratch.In("Lab.zip"));
        const string Head = "applications:\n  - name: lab\n    import_path: Lab.zip\n";
        var cases = new[]
        {
            (Head + "    route_prefx: /x\n", "route_prefix"),
            (Head + "    deployments:\n      - {name: Lab, num_replicas: many}\n", "num_replicas"),
            (Head + "    deployments:\n      - {name: Lab, max_ongoing_requests: 0}\n", "max_ongoing_requests"),
            (Head + "    deployments:\n      - {name: Nope}\n", "Nope"),
            (Head + "    route_prefix: no-slash\n", "route_prefix"),
            (Head + "    route_prefix: /a\n  - name: two\n    import_path: Lab.zip\n    route_prefix: /a\n", "/a"),
            (Head + "  - name: lab\n    import_path: Lab.zip\n", "lab"),
            ("applications: [\n", "lab.yaml("),
        };
        foreach (var (yaml, expected) in cases)
        {
            node.Scratch.Write("lab.yaml", yaml);
            var deploy = await node.CliAsync("deploy", "lab.yaml");
            Assert.True(deploy.Code == 1, yaml + deploy);
            Assert.Contains(expected, deploy.Errors, StringComparison.Ordinal);
            Assert.DoesNotContain("   at ", deploy.Errors, StringComparison.Ordinal);
        }

        Assert.Empty((await node.Admin.GetStatusAsync()).Applications);
    }

    [Fact]
    public async Task Deploy_UsedRoutePrefix_RejectedAndOtherApplicationUnaffected()
    {
        await using var node = await TestNodeProcess.StartAsync(IsolationMode.None);
        await node.DeployAsync(packages.Lab);

        var deploy = await node.CliAsync("deploy", packages.LabTwo, "--name", "two", "--route-prefix", "/lab");

        Assert.Equal(1, deploy.Code);
        Assert.Contains("/lab", deploy.Errors, StringComparison.Ordinal);
        Assert.Equal(["lab"], (await node.Admin.GetStatusAsync()).Applications.Keys);
        Assert.Equal("one", await node.Gateway.GetStringAsync("/lab/version"));
    }

    [Fact]
    public async Task Deploy_InfeasibleResources_StatusShowsReason()
    {
        await using var node = await TestNodeProcess.StartAsync(IsolationMode.None);

        await node.DeployAsync(packages.Lab, new DeploymentOptions { ActorOptions = new ReplicaResourceOptions { NumGpus = 64 } }, wait: false);

        var status = "";
        await Eventually.TrueAsync(
            async () => (status = (await node.CliAsync("status")).Output).Contains("GPU", StringComparison.Ordinal), () => status);
        Assert.Contains("64", status, StringComparison.Ordinal);
        Assert.Contains("--num-gpus", status, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Deploy_ConfiguredNodeResources_PlacedUpToTheirAmount()
    {
        await using var node = await TestNodeProcess.StartAsync(IsolationMode.None, scratch: null, "--num-cpus", "1.5", "--num-gpus", "2", "--memory", "1000", "--resource", "licence=1");
        var half = new ReplicaResourceOptions { NumCpus = 1, NumGpus = 1.0, Memory = 900, Resources = new Dictionary<string, double> { ["licence"] = 0.5 } };

        await node.DeployAsync(packages.Lab, new DeploymentOptions { ActorOptions = half });
        Assert.Equal("one", await node.Gateway.GetStringAsync("/lab/version"));

        await node.DeployAsync(packages.LabTwo, new DeploymentOptions { ActorOptions = half }, wait: false, name: "two");
        var status = "";
        await Eventually.TrueAsync(
            async () => (status = (await node.CliAsync("status")).Output).Contains("needs CPU 1, free 0.5", StringComparison.Ordinal), () => status);
        Assert.DoesNotContain("GPU", status, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("delete nope", "nope")]
    [InlineData("scale nope/Lab 2", "nope")]
    [InlineData("logs nope", "nope")]
    [InlineData("config -n nope", "nope")]
    [InlineData("deploy missing.cs", "missing.cs")]
    public async Task Verb_UnknownName_ReportsOneError(string line, string expected)
    {
        await using var node = await TestNodeProcess.StartAsync(IsolationMode.None);

        var (code, _, errors) = await node.CliAsync(line.Split(' '));

        Assert.Equal(1, code);
        Assert.Contains(expected, errors, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Scale_OutOfRange_Rejected()
    {
        await using var node = await TestNodeProcess.StartAsync(IsolationMode.None);
        await node.DeployAsync(packages.Lab);

        var (code, _, errors) = await node.CliAsync("scale", "lab/Lab", "10001");

        Assert.Equal(1, code);
        Assert.Contains("10000", errors, StringComparison.Ordinal);
        await node.WaitForReplicasAsync(1);
    }

    [Fact]
    public async Task Start_PortInUse_NamesPortAndOption()
    {
        using var scratch = new ScratchDirectory();
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port.ToString(System.Globalization.CultureInfo.InvariantCulture);
        foreach (var (http, admin, option) in new[] { (port, "0", "--http-port"), ("0", port, "--admin-port") })
        {
            var (code, _, errors) = await ServeCliProcess.RunAsync(scratch, "start", "--http-port", http, "--admin-port", admin, "--state-dir", scratch.In("state"));
            Assert.Equal(1, code);
            Assert.Contains(port, errors, StringComparison.Ordinal);
            Assert.Contains(option, errors, StringComparison.Ordinal);
            Assert.DoesNotContain("   at ", errors, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Gateway_LargeBodyOrSlowHeaders_Rejected()
    {
        using var scratch = new ScratchDirectory();
        File.Copy(packages.Lab, scratch.In("Lab.zip"));
        scratch.Write("lab.yaml", "http_options: {max_request_body_bytes: 1000}\napplications:\n  - name: lab\n    route_prefix: /lab\n    import_path: Lab.zip\n");
        await using var run = ServeCliProcess.Start(scratch, "run", "lab.yaml", "--http-port", "0", "--admin-port", "0");
        var url = new Uri(await run.WaitForLineAsync("lab  1/1 replicas  "));
        using var http = new HttpClient();
        using var large = new ByteArrayContent(new byte[2000]);

        var refused = await http.PostAsync(url + "/length", large);
        await IsolationFunctionalTests.AssertProblemAsync(refused, HttpStatusCode.RequestEntityTooLarge, "bad_input", "");

        // A slow-loris client: headers that never end. The server closes the connection and keeps serving other clients.
        using var slow = new TcpClient("127.0.0.1", url.Port);
        await slow.GetStream().WriteAsync("GET /lab HTTP/1.1\r\nHost: x\r\nX-"u8.ToArray());
        Assert.Equal("""{"count":1}""", await http.GetStringAsync(url));
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        var buffer = new byte[4096];
        while (await slow.GetStream().ReadAsync(buffer, limit.Token) > 0)
        {
            // Any response is acceptable, but the connection must end.
        }
    }
}
