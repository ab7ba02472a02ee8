using System.Text.Json.Nodes;
using Serve.Specs;

namespace Serve.Abstractions.Tests.Specs;

public sealed class DeploymentSpecResolverTests
{
    [Fact]
    public void Merge_CodeAlone_FillsDefaults()
    {
        var spec = DeploymentSpecResolver.Merge(new DeploymentOptions { Name = "Counter", NumReplicas = 2 }, null);

        Assert.Equal(DeploymentSpec.Default with { Name = "Counter", NumReplicas = 2 }, spec);
    }

    [Fact]
    public void Merge_FileOverCode_KeyByKey()
    {
        var code = new DeploymentOptions
        {
            Name = "Counter",
            NumReplicas = 2,
            MaxOngoingRequests = 7,
            UserConfig = Parse("""{"a":{"x":1,"y":2},"list":[1,2],"kept":true}"""),
            ActorOptions = new ReplicaResourceOptions { NumCpus = 1, Resources = new Dictionary<string, double> { ["tpu"] = 1, ["disk"] = 2 } },
        };
        var file = new DeploymentOptions
        {
            Name = "Counter",
            NumReplicas = 5,
            UserConfig = Parse("""{"a":{"y":3,"z":4},"list":[9]}"""),
            ActorOptions = new ReplicaResourceOptions { NumGpus = 0.5, Resources = new Dictionary<string, double> { ["disk"] = 3 } },
        };

        var spec = DeploymentSpecResolver.Merge(code, file);

        Assert.Equal(5, spec.NumReplicas);
        Assert.Equal(7, spec.MaxOngoingRequests);
        Assert.True(JsonNode.DeepEquals(Parse("""{"a":{"x":1,"y":3,"z":4},"list":[9],"kept":true}"""), spec.UserConfig), spec.UserConfig?.ToJsonString());
        Assert.Equal((1, 0.5), (spec.Resources.NumCpus, spec.Resources.NumGpus));
        Assert.Equal([new("disk", 3), new("tpu", 1)], spec.Resources.Resources);
    }

    [Fact]
    public void Merge_Auto_HasRayServesDefaults()
    {
        var spec = DeploymentSpecResolver.Merge(new DeploymentOptions { Name = "D", NumReplicas = ReplicaCount.Auto }, null);

        Assert.Equal((1, new AutoscalingSpec { MaxReplicas = 100 }), (spec.NumReplicas, spec.Autoscaling));
        Assert.Equal(
            (1, 1, 2, 10, 30, 30, 600, LoadAggregation.Mean),
            (spec.Autoscaling!.MinReplicas, new AutoscalingSpec().MaxReplicas, spec.Autoscaling.TargetOngoingRequests, spec.Autoscaling.MetricsIntervalS, spec.Autoscaling.LookBackPeriodS,
                spec.Autoscaling.UpscaleDelayS, spec.Autoscaling.DownscaleDelayS, spec.Autoscaling.AggregationFunction));
    }

    [Fact]
    public void Merge_AutoscalingOfFileAndCode_IsMergedKeyByKeyOrReplacedByANumber()
    {
        var code = new DeploymentOptions { Name = "D", NumReplicas = ReplicaCount.Auto, AutoscalingConfig = new() { MinReplicas = 0, UpscaleDelayS = 1 } };

        var merged = DeploymentSpecResolver.Merge(code, new() { Name = "D", AutoscalingConfig = new() { UpscaleDelayS = 2, InitialReplicas = 3 } });
        Assert.Equal((3, new AutoscalingSpec { MinReplicas = 0, InitialReplicas = 3, MaxReplicas = 100, UpscaleDelayS = 2 }), (merged.NumReplicas, merged.Autoscaling));

        var number = DeploymentSpecResolver.Merge(code, new() { Name = "D", NumReplicas = 5 });
        Assert.Equal((5, null), (number.NumReplicas, number.Autoscaling));

        var automatic = DeploymentSpecResolver.Merge(new() { Name = "D", NumReplicas = 5 }, new() { Name = "D", AutoscalingConfig = new() { MinReplicas = 2, MaxReplicas = 4 } });
        Assert.Equal((2, 2, 4), (automatic.NumReplicas, automatic.Autoscaling!.MinReplicas, automatic.Autoscaling.MaxReplicas));
    }

    [Fact]
    public void Merge_ContradictoryAutoscaling_IsAnError()
    {
        static string Error(DeploymentOptions code, DeploymentOptions? file = null) => Assert.Single(Assert.Throws<DefinitionException>(() => DeploymentSpecResolver.Merge(code, file)).Errors);

        Assert.Equal("D.autoscaling_config.min_replicas: must be at most max_replicas, 1, but was 2", Error(new() { Name = "D", AutoscalingConfig = new() { MinReplicas = 2 } }));
        Assert.Equal(
            "D.autoscaling_config.min_replicas: must be at most max_replicas, 3, but was 5",
            Error(new() { Name = "D", AutoscalingConfig = new() { MinReplicas = 5, MaxReplicas = 9 } }, new() { Name = "D", AutoscalingConfig = new() { MaxReplicas = 3 } }));
        Assert.Equal(
            "D.autoscaling_config.initial_replicas: must be between min_replicas and max_replicas, 1 and 2, but was 3",
            Error(new() { Name = "D", AutoscalingConfig = new() { MaxReplicas = 2, InitialReplicas = 3 } }));
        Assert.Equal("D.num_replicas: must be 'auto' or absent with autoscaling_config, but was 3", Error(new() { Name = "D", NumReplicas = 3, AutoscalingConfig = new() }));
        Assert.Contains("not NaN", Error(new() { Name = "D", AutoscalingConfig = new AutoscalingAttribute { TargetOngoingRequests = double.NaN }.ToOptions() }));
    }

    [Fact]
    public void Merge_DoesNotChangeItsSources()
    {
        var code = new DeploymentOptions { Name = "Counter", UserConfig = Parse("""{"a":1}""") };
        var file = new DeploymentOptions { Name = "Counter", UserConfig = Parse("""{"a":2}""") };

        var spec = DeploymentSpecResolver.Merge(code, file);
        spec.UserConfig!["a"] = 3;

        Assert.Equal("""{"a":1}""", code.UserConfig.ToJsonString());
        Assert.Equal("""{"a":2}""", file.UserConfig.ToJsonString());
    }

    [Theory]
    [InlineData(RoutingPolicy.RoundRobin, "header:a", null, null, "A.request_router_config.key: has no effect with this policy; set policy to consistent_hash or prefix_affinity")]
    [InlineData(null, "header:a", null, null, "A.request_router_config.key: has no effect with this policy; set policy to consistent_hash or prefix_affinity")]
    [InlineData(RoutingPolicy.ConsistentHash, null, "Mine", null, "A.request_router_config: policy and request_router_class exclude each other; remove one of them")]
    [InlineData(null, null, null, "{}", "A.request_router_config.request_router_kwargs: has no effect without request_router_class; remove it")]
    public void Merge_ContradictoryRouterSettings_AreErrors(RoutingPolicy? policy, string? key, string? pickerClass, string? kwargs, string expected)
    {
        var router = new RequestRouterOptions { Policy = policy, Key = key, RequestRouterClass = pickerClass, RequestRouterKwargs = kwargs is null ? null : [] };

        var error = Assert.Throws<DefinitionException>(() => DeploymentSpecResolver.Merge(new() { Name = "A", RequestRouterConfig = router }, null));

        Assert.Equal([expected], error.Errors);
    }

    [Theory]
    [InlineData("""{"num_replicas":6,"gang_scheduling_config":{"gang_size":4}}""", "A.num_replicas: must be a multiple of gang_size, 4, but was 6")]
    [InlineData("""{"gang_scheduling_config":{"gang_size":2}}""", "A.num_replicas: must be a multiple of gang_size, 2, but was 1")]
    [InlineData("""{"autoscaling_config":{"min_replicas":1,"max_replicas":4},"gang_scheduling_config":{"gang_size":2}}""", "A.autoscaling_config.min_replicas: must be a multiple of gang_size, 2, but was 1")]
    [InlineData("""{"autoscaling_config":{"min_replicas":0,"max_replicas":5},"gang_scheduling_config":{"gang_size":2}}""", "A.autoscaling_config.max_replicas: must be a multiple of gang_size, 2, but was 5")]
    [InlineData("""{"num_replicas":4,"gang_scheduling_config":{"gang_size":0}}""", "A.gang_scheduling_config.gang_size: must be between 1 and 10000, not 0")]
    [InlineData("""{"num_replicas":4,"gang_scheduling_config":{}}""", "A.gang_scheduling_config.gang_size: missing; the number of replicas that are placed and restarted together")]
    [InlineData("""{"num_replicas":4,"gang_scheduling_config":{"gang_size":2,"runtime_failure_policy":"RESTART_REPLICA"}}""", "A.gang_scheduling_config.runtime_failure_policy: expected one of restart_gang, got the text 'RESTART_REPLICA'")]
    public void Merge_InvalidGangs_OneClearError(string json, string expected)
    {
        var text = "{\"applications\":[{\"import_path\":\"a.cs\",\"deployments\":[" + json.Insert(1, "\"name\":\"A\",") + "]}]}";

        var error = Assert.Throws<DefinitionException>(() => DeploymentSpecResolver.Merge(new() { Name = "A" }, ServeConfigReader.Read(JsonNode.Parse(text)).Applications[0].Deployments[0]));

        Assert.EndsWith(expected[1..], Assert.Single(error.Errors), StringComparison.Ordinal);
    }

    [Fact]
    public void Merge_GangOfCodeAndFile_AreMergedKeyByKey()
    {
        var code = new DeploymentAttribute("A") { NumReplicas = 4, GangSize = 2 }.ToOptions();

        var spec = DeploymentSpecResolver.Merge(code, new() { GangSchedulingConfig = new() { GangPlacementStrategy = GangPlacementStrategy.Spread } });

        Assert.Equal(new GangSchedulingSpec { GangSize = 2, GangPlacementStrategy = GangPlacementStrategy.Spread }, spec.Gang);
    }

    [Fact]
    public void Merge_RouterSettingsOfCodeAndFile_AreMergedKeyByKey()
    {
        var code = new DeploymentAttribute("A") { RoutingPolicy = RoutingPolicy.ConsistentHash, RoutingKey = "cookie:a" }.ToOptions();

        var spec = DeploymentSpecResolver.Merge(code, new() { RequestRouterConfig = new() { Key = "header:b" } });

        Assert.Equal(new RequestRouterSpec { Policy = RoutingPolicy.ConsistentHash, Key = "header:b" }, spec.Router);
    }

    [Fact]
    public void Merge_ValuesOutOfRange_ReportsAll()
    {
        var code = new DeploymentAttribute("Counter")
        {
            NumReplicas = -1,
            MaxOngoingRequests = 0,
            MaxQueuedRequests = -2,
            HealthCheckPeriodS = 0,
            GracefulShutdownTimeoutS = double.NaN,
            NumGpus = 1.5,
            Memory = -1,
            Concurrency = (ConcurrencyMode)9,
        }.ToOptions();

        var error = Assert.Throws<DefinitionException>(() => DeploymentSpecResolver.Merge(code, null));

        Assert.Equal(
            [
                "Counter.num_replicas: must be between 0 and 10000, not -1",
                "Counter.max_ongoing_requests: must be between 1 and 536870912, not 0",
                "Counter.max_queued_requests: must be at least -1, not -2",
                "Counter.graceful_shutdown_timeout_s: must be at least 0 and at most 4000000, not NaN",
                "Counter.health_check_period_s: must be more than 0 and at most 4000000, not 0",
                "Counter.concurrency: must be one of turn_based, parallel, not 9",
                "Counter.actor_options.num_gpus: must be an integer if above 1, not 1.5: a GPU is either shared or reserved as a whole",
                "Counter.actor_options.memory: must be at least 0, not -1",
            ],
            error.Errors);
    }

    [Theory]
    [InlineData("a/b", "must start with a letter or a digit and contain only letters, digits, '-', '_' and '.'")]
    [InlineData("a#b", "must start with a letter")]
    [InlineData("..", "must start with a letter")]
    public void Merge_InvalidName_IsAnError(string name, string expected)
    {
        var error = Assert.Throws<DefinitionException>(() => DeploymentSpecResolver.Merge(new DeploymentOptions { Name = name }, null));

        Assert.StartsWith($"{name}.name: '{name}' {expected}", Assert.Single(error.Errors), StringComparison.Ordinal);
    }

    [Fact]
    public void Merge_NoName_IsAnError() =>
        Assert.Equal("The deployment has no name.", Assert.Throws<DefinitionException>(() => DeploymentSpecResolver.Merge(new DeploymentOptions(), null)).Message);

    [Fact]
    public void Impact_OfEachSetting_EqualsItsAttribute()
    {
        var before = DeploymentSpec.Default with { UserConfig = Parse("""{"a":1}""") };

        Assert.Equal(UpdateImpact.None, DeploymentSpecResolver.Impact(before, before with { UserConfig = Parse("""{"a":1}"""), Resources = new() }));
        Assert.Equal(UpdateImpact.None, DeploymentSpecResolver.Impact(before, before with { NumReplicas = 3, MaxQueuedRequests = 1 }));
        Assert.Equal(UpdateImpact.Reconfigure, DeploymentSpecResolver.Impact(before, before with { NumReplicas = 3, MaxOngoingRequests = 1 }));
        Assert.Equal(UpdateImpact.Reconfigure, DeploymentSpecResolver.Impact(before, before with { UserConfig = Parse("""{"a":2}""") }));
        Assert.Equal(UpdateImpact.Reconfigure, DeploymentSpecResolver.Impact(before, before with { UserConfig = null }));
        Assert.Equal(UpdateImpact.Restart, DeploymentSpecResolver.Impact(before, before with { MaxOngoingRequests = 1, Concurrency = ConcurrencyMode.Parallel }));
        Assert.Equal(UpdateImpact.Restart, DeploymentSpecResolver.Impact(before, before with { Resources = new() { Resources = before.Resources.Resources.Add("tpu", 1) } }));
    }

    [Fact]
    public void Impact_EverySettingHasOne() =>
        Assert.DoesNotContain(
            typeof(DeploymentSpec).GetProperties(System.Reflection.BindingFlags.Public | System.Reflection.BindingFlags.Instance),
            property => property.GetCustomAttributes(typeof(UpdateImpactAttribute), false).Length == 0);

    private static JsonObject Parse(string json) => (JsonObject)JsonNode.Parse(json)!;
}
