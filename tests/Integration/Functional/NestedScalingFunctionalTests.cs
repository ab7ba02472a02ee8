using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Serve.FunctionalTests.OpenInference;
using Serve.Specs;
using Serve.Testing;

namespace Serve.FunctionalTests;

/// <summary>Scaling of deployments that are called by handles, and policies of a package, on a real node.</summary>
[Collection(FunctionalTestCollection.Name)]
public sealed class NestedScalingFunctionalTests(SamplePackageFixture packages)
{
    private static readonly AutoscalingOptions FromZero = new() { MinReplicas = 0, MaxReplicas = 2, DownscaleToZeroDelayS = 0.3 };

    [Theory]
    [InlineData(IsolationMode.None)]
    [InlineData(IsolationMode.Replica)]
    public async Task HandleCall_DeploymentAtZero_IsAnsweredByTheFirstReplica(IsolationMode isolation)
    {
        await using var node = await TestNodeProcess.StartAsync(isolation);
        await DeployAsync(node, new DeploymentOptions { Name = "Back", AutoscalingConfig = FromZero });
        await using var serve = await node.ConnectAsync();
        for (var round = 0; round < 2; round++)
        {
            await WaitForZeroAsync(node, "Back");
            Assert.Equal("hello", await node.Gateway.GetStringAsync("/nested"));
            await WaitForZeroAsync(node, "Back");
            Assert.Equal("hello", await serve.GetHandle("Back", "nested").Method("Hello").Remote<string>());
        }
    }

    [Fact]
    public async Task Infer_ModelAtZero_LoadsItAndAnswers()
    {
        await using var node = await TestNodeProcess.StartAsync();
        var config = node.Scratch.Write("digits.yaml", $"""
            applications:
              - name: digits
                import_path: {InferenceTestNode.Model("digits.onnx")}
                deployments:
                  - name: digits
                    autoscaling_config: {"{"}min_replicas: 0, max_replicas: 1, downscale_to_zero_delay_s: 0.3{"}"}
            """);
        var (code, _, errors) = await node.CliAsync("deploy", config);
        Assert.True(code == 0, errors);
        await WaitForZeroAsync(node, "digits", "digits");
        using var content = new StringContent(InferenceSamples.DigitsRequest, Encoding.UTF8, "application/json");
        using var response = await node.Gateway.PostAsync("/v2/models/digits/infer", content);
        Assert.Equal(3, (int)JsonNode.Parse(await response.Content.ReadAsStringAsync())!["outputs"]![0]!["data"]![0]!);
    }

    [Fact]
    public async Task Policy_OfThePackage_DecidesAndItsErrorIsShown()
    {
        await using var node = await TestNodeProcess.StartAsync(IsolationMode.None);
        await DeployAsync(node, new DeploymentOptions { Name = "Back", AutoscalingConfig = WithPolicy("Constant", 3) });
        await WaitForReplicasAsync(node, "Back", 3);
        Assert.Equal("always 3", (await DetailAsync(node)).Decisions[0].Reason);

        await DeployAsync(node, new DeploymentOptions { Name = "Back", AutoscalingConfig = WithPolicy("Constant", 0) });
        await Eventually.TrueAsync(async () => (await DetailAsync(node)).Errors.SequenceEqual(["autoscaling policy Constant failed: no number"]));
        await DeployAsync(node, new DeploymentOptions { Name = "Back", AutoscalingConfig = WithPolicy("Missing", 1) });
        await Eventually.TrueAsync(async () => (await DetailAsync(node)).Errors is [var error] && error.Contains("Policy class Missing must be a class of the package", StringComparison.Ordinal));
        await WaitForReplicasAsync(node, "Back", 3);
    }

    [Fact]
    public async Task Policy_OfTheApplication_DecidesAboutItsDeploymentsTogether()
    {
        await using var node = await TestNodeProcess.StartAsync(IsolationMode.None);
        var options = new AutoscalingOptions { MaxReplicas = 5, UpscaleDelayS = 0, MetricsIntervalS = 0.2 };
        await DeployAsync(node, new AutoscalingPolicySpec { PolicyClass = "Together" }, new() { Name = "Back", AutoscalingConfig = options }, new() { Name = "Front", AutoscalingConfig = options });
        await WaitForReplicasAsync(node, "Back", 3);
        await WaitForReplicasAsync(node, "Front", 3);
    }

    [Fact]
    public async Task Deadline_OfTheClient_EndsTheNestedCallInTheOtherWorker()
    {
        await using var node = await TestNodeProcess.StartAsync(IsolationMode.Replica);
        await DeployAsync(node);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/nested/wait?ms=60000") { Headers = { { "Serve-Timeout-Ms", "500" } } };
        using var response = await node.Gateway.SendAsync(request);
        Assert.Equal(HttpStatusCode.RequestTimeout, response.StatusCode);
        await Eventually.TrueAsync(async () => await node.Gateway.GetStringAsync("/nested/stopped") == "1");

        await using var serve = await node.ConnectAsync();
        await Assert.ThrowsAnyAsync<Exception>(async () => await serve.GetHandle("Front", "nested").Options(timeout: TimeSpan.FromMilliseconds(500)).Method("Wait").Remote<string>(60_000));
        await Eventually.TrueAsync(async () => await node.Gateway.GetStringAsync("/nested/stopped") == "2");
    }

    [Theory]
    [InlineData(IsolationMode.None)]
    [InlineData(IsolationMode.Application)]
    public async Task Load_ScalesToZeroAndBackUnderRequests_NoneFails(IsolationMode isolation)
    {
        await using var node = await TestNodeProcess.StartAsync(isolation);
        await DeployAsync(node, new DeploymentOptions { Name = "Back", AutoscalingConfig = new() { MinReplicas = 0, MaxReplicas = 4, TargetOngoingRequests = 1, UpscaleDelayS = 0, DownscaleDelayS = 0, DownscaleToZeroDelayS = 0, LookBackPeriodS = 0.2 } });
        var random = new Random(3);
        for (var burst = 0; burst < 12; burst++)
        {
            var answers = await Task.WhenAll(Enumerable.Range(0, random.Next(1, 8)).Select(_ => node.Gateway.GetStringAsync($"/nested/wait?ms={random.Next(0, 120)}")));
            Assert.All(answers, answer => Assert.Equal("done", answer));
            await Task.Delay(random.Next(0, 400));
        }

        var decisions = (await DetailAsync(node)).Decisions;
        Assert.Contains(decisions, decision => decision.CurrNumReplicas == 0);
        Assert.Contains(decisions, decision => decision.CurrNumReplicas > decision.PrevNumReplicas);
    }

    private static AutoscalingOptions WithPolicy(string policy, int replicas) => new()
    {
        MaxReplicas = 5,
        UpscaleDelayS = 0,
        DownscaleDelayS = 600,
        MetricsIntervalS = 0.2,
        Policy = new() { PolicyClass = policy, PolicyKwargs = new() { ["replicas"] = replicas } },
    };

    private static async Task<Admin.DeploymentAutoscalingDetail> DetailAsync(TestNodeProcess node) =>
        (await node.Admin.GetApplicationAsync("nested")).Deployments["Back"].AutoscalingDetail!;

    private static Task WaitForZeroAsync(TestNodeProcess node, string deployment, string application = "nested") => WaitForReplicasAsync(node, deployment, 0, application);

    private static Task WaitForReplicasAsync(TestNodeProcess node, string deployment, int replicas, string application = "nested") =>
        Eventually.TrueAsync(async () => (await node.Admin.GetApplicationAsync(application)).Deployments[deployment].Replicas is var found
            && found.Count == replicas && found.All(replica => replica.State == Admin.ReplicaState.Running));

    private Task DeployAsync(TestNodeProcess node, params DeploymentOptions[] options) => DeployAsync(node, null as AutoscalingPolicySpec, options);

    private Task DeployAsync(TestNodeProcess node, AutoscalingPolicySpec? policy, params DeploymentOptions[] options) =>
        node.DeployAsync(packages.Nested, new ApplicationConfig { Name = "nested", RoutePrefix = "/nested", ImportPath = "", AutoscalingPolicy = policy, Deployments = [.. options] });
}
