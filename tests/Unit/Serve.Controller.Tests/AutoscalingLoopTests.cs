using Serve.Admin;
using Serve.Controller.Loop;
using Serve.Routes;
using Serve.Specs;

namespace Serve.Controller.Tests;

public sealed class AutoscalingLoopTests
{
    private static readonly DeploymentId Counter = new("counter", "Counter");

    [Fact]
    public async Task Loads_ReportedByRouters_ScaleTheDeploymentWithAReason()
    {
        await using var node = await ControllerTestFixture.StartAsync();
        await DeployAsync(node, new() { MaxReplicas = 4, UpscaleDelayS = 0, LookBackPeriodS = 1, DownscaleDelayS = 5 });
        await node.UntilAsync("counter", ApplicationStatus.Running);
        await PublishAsync(node, 1, """{"process:a":{"counter/Counter":{"queued":3,"ongoing":{"r":2},"is_active":true}},"process:b":{"counter/Counter":{"ongoing":{"r":1}}}}""");
        await node.UntilAsync(() => node.Running("counter").Length == 3);

        var details = node.Controller.GetDetails("counter")!;
        var deployment = details.Deployments["Counter"];
        Assert.Equal((ApplicationStatus.Running, DeploymentStatus.Healthy), (details.Status, deployment.Status));
        Assert.Equal((3, 3), (deployment.TargetNumReplicas, deployment.AutoscalingDetail!.DesiredNumReplicas));
        var decision = Assert.Single(deployment.AutoscalingDetail.Decisions);
        Assert.Equal((1, 3, "6 requests, 3 queued, with target_ongoing_requests 2 need 3 replicas"), (decision.PrevNumReplicas, decision.CurrNumReplicas, decision.Reason));
        Assert.Equal((3, 3), (deployment.AutoscalingDetail.Metrics["queued_requests"], deployment.AutoscalingDetail.Metrics["ongoing_requests"]));
        Assert.Equal((3, 3, 6), (Metric(node, "target_replicas"), Metric(node, "desired_replicas"), Metric(node, "total_requests")));

        await PublishAsync(node, 2, "{}");
        await node.UntilAsync(() => node.Running("counter").Length == 1 && node.Agent.Actors.Count == 1, runClock: true);
        Assert.Contains("0 requests", node.Controller.GetDetails("counter")!.Deployments["Counter"].AutoscalingDetail!.Decisions[0].Reason);
    }

    [Fact]
    public async Task WakeUp_DeploymentAtZero_StartsOneReplicaWhichStopsWhenIdle()
    {
        await using var node = await ControllerTestFixture.StartAsync();
        await DeployAsync(node, new() { MinReplicas = 0, MaxReplicas = 4, DownscaleToZeroDelayS = 2 });
        await node.UntilAsync("counter", ApplicationStatus.Running);
        Assert.Empty(node.Agent.Actors);
        await node.Controller.RequestWakeUpAsync(Counter);
        await node.UntilAsync(() => node.Running("counter").Length == 1);
        await node.UntilAsync(() => node.Agent.Actors.IsEmpty, runClock: true);
        Assert.Equal((0, ApplicationStatus.Running), (node.Controller.GetDetails("counter")!.Deployments["Counter"].TargetNumReplicas, node.Controller.GetDetails("counter")!.Status));
    }

    [Fact]
    public async Task Deploy_MayScaleToZero_KeepsAWorkerAndThePackageReadyUntilItIsDeleted()
    {
        await using var node = await ControllerTestFixture.StartAsync(options: new() { NodeId = new("n1"), SpareWorkers = 2, MaxCachedBytes = 100 });
        await DeployAsync(node, new() { MinReplicas = 1, MaxReplicas = 4 });
        Assert.Equal((0, 0), (node.Agent.Standby.SpareWorkers, node.Agent.Standby.Packages.Count));
        await DeployAsync(node, new() { MinReplicas = 0, MaxReplicas = 4 });
        Assert.Equal((1, "Counter@1", 100), (node.Agent.Standby.SpareWorkers, node.Agent.Standby.Packages.Single(), node.Agent.Standby.MaxCachedBytes));
        await node.Controller.DeployAsync(
            ControllerTestFixture.Config("counter", "Counter@1", settings: options => options with { NumReplicas = null, AutoscalingConfig = new() { MinReplicas = 0 } }) with { Isolation = IsolationMode.None }, CancellationToken.None);
        Assert.Equal((0, 1), (node.Agent.Standby.SpareWorkers, node.Agent.Standby.Packages.Count));
        await node.Controller.DeleteAsync("counter", CancellationToken.None);
        Assert.Empty(node.Agent.Standby.Packages);
    }

    [Fact]
    public async Task Restart_ScaledDeployment_KeepsItsTarget()
    {
        var folder = Directory.CreateTempSubdirectory("serve-test-").FullName;
        await using (var first = await ControllerTestFixture.StartAsync(folder))
        {
            first.KeepFolder = true;
            await DeployAsync(first, new() { MaxReplicas = 4, UpscaleDelayS = 0 });
            await PublishAsync(first, 1, """{"process:a":{"counter/Counter":{"ongoing":{"r":8}}}}""");
            await first.UntilAsync(() => first.Running("counter").Length == 4);
        }

        await using var second = await ControllerTestFixture.StartAsync(folder);
        await second.UntilAsync(() => second.Running("counter").Length == 4);
    }

    [Fact]
    public async Task Deploy_AgainWithOtherBounds_ContinuesFromTheCurrentTarget()
    {
        await using var node = await ControllerTestFixture.StartAsync();
        await DeployAsync(node, new() { MaxReplicas = 8, UpscaleDelayS = 0 });
        await PublishAsync(node, 1, """{"process:a":{"counter/Counter":{"ongoing":{"r":12}}}}""");
        await node.UntilAsync(() => node.Running("counter").Length == 6);
        await DeployAsync(node, new() { MaxReplicas = 5, UpscaleDelayS = 0 });
        await node.UntilAsync(() => node.Running("counter").Length == 5 && node.Agent.Actors.Count == 5);
        Assert.Contains("max_replicas is 5", node.Controller.GetDetails("counter")!.Deployments["Counter"].AutoscalingDetail!.Decisions[0].Reason);
        await node.DeployAsync("counter", "Counter@1", 2);
        await node.UntilAsync(() => node.Running("counter").Length == 2);
        Assert.Null(node.Controller.GetDetails("counter")!.Deployments["Counter"].AutoscalingDetail);
    }

    [Fact]
    public async Task Deploy_TargetCapacity_RunsAPartOfTheReplicas()
    {
        await using var node = await ControllerTestFixture.StartAsync();
        ServeConfig Config(double? capacity) => new()
        {
            TargetCapacity = capacity,
            Applications =
            [
                ControllerTestFixture.Config("fixed", "Fixed@1", 4) with { RoutePrefix = "/fixed" },
                ControllerTestFixture.Config("counter", "Counter@1", settings: options => options with { NumReplicas = null, AutoscalingConfig = new() { MinReplicas = 2, MaxReplicas = 9 } }),
            ],
        };
        await node.Controller.DeployAsync(Config(50), CancellationToken.None);
        await node.UntilAsync(() => node.Running("fixed").Length == 2 && node.Running("counter").Length == 1);
        Assert.Equal(50, node.Controller.GetDetails().TargetCapacity);
        await node.Controller.DeployAsync(Config(0), CancellationToken.None);
        await node.UntilAsync(() => node.Agent.Actors.IsEmpty);
        await node.Controller.DeployAsync(Config(null), CancellationToken.None);
        await node.UntilAsync(() => node.Running("fixed").Length == 4 && node.Running("counter").Length == 2);
    }

    [Fact]
    public async Task Deploy_ExternalScaler_KeepsItsNumberAndExcludesAutoscaling()
    {
        await using var node = await ControllerTestFixture.StartAsync();
        ApplicationConfig Config(int replicas) => ControllerTestFixture.Config("counter", "Counter@1", replicas) with { ExternalScalerEnabled = true };
        await node.Controller.DeployAsync(Config(1), CancellationToken.None);
        await node.Controller.ScaleAsync(Counter, 3, CancellationToken.None);
        await node.Controller.DeployAsync(Config(2), CancellationToken.None);
        await node.UntilAsync(() => node.Running("counter").Length == 3);

        var error = await Assert.ThrowsAsync<DefinitionException>(() => node.Controller.DeployAsync(
            Config(1) with { Deployments = [new() { Name = "Counter", NumReplicas = ReplicaCount.Auto }] }, CancellationToken.None));
        Assert.Contains("external_scaler_enabled must be false while deployments have autoscaling_config: Counter", error.Message);
    }

    [Fact]
    public async Task Policy_OfTheUser_DecidesWithinTheBoundsAndItsErrorsAreShown()
    {
        await using var node = await ControllerTestFixture.StartAsync();
        AutoscalingDecision? decision = new(3, "three are enough");
        node.Policies.Classes["Mine"] = () => new FakePolicyLoader.Single(context =>
        {
            Assert.Equal((Counter, 2), (context.Deployment, context.QueuedRequests));
            return decision ?? throw new InvalidOperationException("no forecast");
        });
        await PublishAsync(node, 1, """{"process:a":{"counter/Counter":{"queued":2}}}""");
        await DeployAsync(node, new() { MaxReplicas = 4, UpscaleDelayS = 0, DownscaleDelayS = 0, MetricsIntervalS = 1, Policy = new() { PolicyClass = "Mine" } });
        await node.UntilAsync(() => node.Running("counter").Length == 3, runClock: true);
        Assert.Equal("three are enough", Detail().Decisions[0].Reason);

        decision = new(9, "many");
        await node.UntilAsync(() => node.Running("counter").Length == 4, runClock: true);
        decision = null;
        await node.UntilAsync(() => Detail().Errors.Contains("autoscaling policy Mine failed: no forecast"), runClock: true);
        decision = new(-1, "nonsense");
        await node.UntilAsync(() => Detail().Errors.Any(error => error.Contains("must return at least 0 replicas", StringComparison.Ordinal)), runClock: true);
        Assert.Equal(4, node.Running("counter").Length);

        await node.DeployAsync("counter", "Counter@1", 1);
        await node.UntilAsync(() => node.Policies.Released == 1);
        DeploymentAutoscalingDetail Detail() => node.Controller.GetDetails("counter")!.Deployments["Counter"].AutoscalingDetail!;
    }

    [Fact]
    public async Task Policy_ThatDoesNotReturn_KeepsTheTargetAndIsNotCalledTwiceAtATime()
    {
        await using var node = await ControllerTestFixture.StartAsync();
        using var release = new ManualResetEventSlim();
        var (calls, concurrent) = (0, 0);
        node.Policies.Classes["Slow"] = () => new FakePolicyLoader.Single(_ =>
        {
            Assert.Equal(1, Interlocked.Increment(ref concurrent));
            if (Interlocked.Increment(ref calls) == 2)
                release.Wait();
            Interlocked.Decrement(ref concurrent);
            return new(calls == 1 ? 2 : 3, "slow");
        });
        await DeployAsync(node, new() { MaxReplicas = 4, UpscaleDelayS = 0, MetricsIntervalS = 1, Policy = new() { PolicyClass = "Slow" } });
        await node.UntilAsync(() => node.Running("counter").Length == 2, runClock: true);
        await node.UntilAsync(() => Errors().SequenceEqual(["autoscaling policy Slow has not returned within 10 s"]), runClock: true);
        Assert.Equal((2, 2), (node.Running("counter").Length, calls));
        Assert.Contains("serve_autoscaling_policy_execution_time_ms{application=\"counter\",deployment=\"Counter\",policy_scope=\"deployment\"} ", Metrics(node), StringComparison.Ordinal);

        release.Set();
        await node.UntilAsync(() => node.Running("counter").Length == 3 && Errors().Count == 0, runClock: true);
        IReadOnlyList<string> Errors() => node.Controller.GetDetails("counter")!.Deployments["Counter"].AutoscalingDetail!.Errors;
    }

    [Fact]
    public async Task Policy_MetricsOfReplicas_AreReceivedAndShown()
    {
        await using var node = await ControllerTestFixture.StartAsync();
        node.Policies.Classes["Mine"] = () => new FakePolicyLoader.Single(context => new(1 + (int)context.ReplicaMetrics.Values.Sum(metrics => metrics["tokens"]), "tokens"));
        await DeployAsync(node, new() { MaxReplicas = 4, UpscaleDelayS = 0, MetricsIntervalS = 1, Policy = new() { PolicyClass = "Mine" } });
        await node.UntilAsync(() => node.Running("counter").Length == 1);
        await new AutoscalingStatsSubscriber(node.Controller).OnPublishedAsync(
            new(AutoscalingStatsReports.Topic, "n1", new(1, 1), System.Text.Encoding.UTF8.GetBytes($$"""{"{{node.Running("counter")[0]}}":{"tokens":2},"gone#Gone#x":{"tokens":9},"starting#S#y":null}""")), CancellationToken.None);
        await node.UntilAsync(() => node.Running("counter").Length == 3, runClock: true);
        Assert.Equal(2, node.Controller.GetDetails("counter")!.Deployments["Counter"].AutoscalingDetail!.Metrics["tokens"]);
    }

    [Fact]
    public async Task Policy_OfTheApplication_DecidesAboutAllDeployments()
    {
        await using var node = await ControllerTestFixture.StartAsync();
        node.Policies.Classes["Shared"] = () => new FakePolicyLoader.Shared(deployments => deployments.ToDictionary(pair => pair.Key, pair => new AutoscalingDecision(deployments.Count + 1, "one more")));
        var config = ControllerTestFixture.Config("counter", "Counter@1", settings: options => options with { NumReplicas = null, AutoscalingConfig = new() { MaxReplicas = 4, UpscaleDelayS = 0 } });
        await node.Controller.DeployAsync(config with { AutoscalingPolicy = new() { PolicyClass = "Shared" } }, CancellationToken.None);
        await node.UntilAsync(() => node.Running("counter").Length == 2, runClock: true);
        await node.Controller.DeployAsync(config with { AutoscalingPolicy = new() { PolicyClass = "Missing" } }, CancellationToken.None);
        await node.UntilAsync(() => node.Controller.GetDetails("counter")!.Deployments["Counter"].AutoscalingDetail!.Errors.Contains("autoscaling policy Missing failed: no class Missing"), runClock: true);
        Assert.Equal(2, node.Running("counter").Length);
    }

    private static Task DeployAsync(ControllerTestFixture node, AutoscalingOptions autoscaling) =>
        node.DeployAsync("counter", "Counter@1", settings: options => options with { NumReplicas = null, AutoscalingConfig = autoscaling });

    private static async Task PublishAsync(ControllerTestFixture node, long version, string loads) =>
        await new DeploymentLoadSubscriber(node.Controller).OnPublishedAsync(
            new(DeploymentLoadReport.Topic, "n1", new(1, version), System.Text.Encoding.UTF8.GetBytes(loads)), CancellationToken.None);

    private static string Metrics(ControllerTestFixture node)
    {
        using var text = new MemoryStream();
        node.Registry.CollectAndExportAsTextAsync(text).GetAwaiter().GetResult();
        return System.Text.Encoding.UTF8.GetString(text.ToArray());
    }

    private static double Metric(ControllerTestFixture node, string name)
    {
        var line = Metrics(node).Split('\n').Single(line => line.StartsWith($"serve_autoscaling_{name}{{", StringComparison.Ordinal));
        return double.Parse(line.Split(' ')[^1], System.Globalization.CultureInfo.InvariantCulture);
    }
}
