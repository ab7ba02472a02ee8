using System.Text.Json;
using System.Text.Json.Nodes;
using Serve.Specs;

namespace Serve.Abstractions.Tests.Specs;

public sealed class ServeConfigReaderTests
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    /// <summary>Every folder under testassets: a config and what must come of it.</summary>
    public static TheoryData<string> Cases => [.. Directory.GetDirectories(Assets).Select(folder => Path.GetFileName(folder)).Order(StringComparer.Ordinal)];

    private static string Assets => Path.Combine(AppContext.BaseDirectory, "testassets");

    [Theory]
    [MemberData(nameof(Cases))]
    public void Read_EachFolder_EqualsExpectedFile(string folder)
    {
        var config = JsonNode.Parse(File.ReadAllText(Path.Combine(Assets, folder, "config.json")));
        var (expected, errors) = (Path.Combine(Assets, folder, "expected.json"), Path.Combine(Assets, folder, "errors.txt"));
        Assert.True(File.Exists(expected) ^ File.Exists(errors), "either expected.json or errors.txt");

        if (File.Exists(errors))
        {
            var thrown = Assert.Throws<DefinitionException>(() => ServeConfigReader.Read(config));
            Assert.Equal(File.ReadAllLines(errors), thrown.Errors);
            return;
        }

        var written = ServeConfigWriter.Write(ServeConfigReader.Read(config));
        Assert.Equal(JsonNode.Parse(File.ReadAllText(expected))!.ToJsonString(Indented), written.ToJsonString(Indented));
        Assert.Equal(written.ToJsonString(), ServeConfigWriter.Write(ServeConfigReader.Read(written)).ToJsonString());
    }

    [Fact]
    public void Read_EveryKey_ReachesItsProperty()
    {
        var read = ServeConfigReader.Read(JsonNode.Parse(File.ReadAllText(Path.Combine(Assets, "every-key", "config.json"))));
        var application = Assert.Single(read.Applications);
        var deployment = Assert.Single(application.Deployments);

        Assert.Equal(
            new HttpOptions { Port = 8001, RootPath = "/api", RequestTimeoutS = 2.5, KeepAliveTimeoutS = 30, MaxRequestBodyBytes = 1000 }, read.HttpOptions! with { AllowedHosts = null });
        Assert.Equal(["app.example", "*.example.com", "*"], read.HttpOptions.AllowedHosts!);
        Assert.Equal(("app-1.b_c", "/a/b", "a.dll:My.Type", IsolationMode.Replica), (application.Name, application.RoutePrefix, application.ImportPath, application.Isolation));
        Assert.Equal("""{"path":"x","n":[1,null]}""", application.Args?.ToJsonString());
        Assert.Equal("""{"a":{"b":null}}""", deployment.UserConfig?.ToJsonString());
        Assert.Equal((0.5 * 100, false, "My.AppPolicy"), (read.TargetCapacity, application.ExternalScalerEnabled, application.AutoscalingPolicy?.PolicyClass));
        Assert.Equal(
            new AutoscalingOptions
            {
                MinReplicas = 0,
                InitialReplicas = 2,
                MaxReplicas = 8,
                TargetOngoingRequests = 1.5,
                MetricsIntervalS = 5,
                LookBackPeriodS = 20,
                UpscalingFactor = 2,
                DownscalingFactor = 0.5,
                UpscaleDelayS = 0,
                DownscaleDelayS = 60,
                DownscaleToZeroDelayS = 120,
                AggregationFunction = LoadAggregation.Max,
                Policy = deployment.AutoscalingConfig!.Policy,
            },
            deployment.AutoscalingConfig);
        Assert.Equal(("My.Policy", """{"factor":2}"""), (deployment.AutoscalingConfig.Policy!.PolicyClass, deployment.AutoscalingConfig.Policy.PolicyKwargs!.ToJsonString()));
        Assert.Equal([new("disk", 0.0001), new("tpu", 4)], deployment.ActorOptions!.Resources!);
        Assert.Equal(
            new DeploymentOptions
            {
                Name = "D",
                NumReplicas = 0,
                MaxOngoingRequests = 1,
                MaxQueuedRequests = -1,
                GracefulShutdownWaitLoopS = 0,
                GracefulShutdownTimeoutS = 1.5,
                HealthCheckPeriodS = 0.5,
                HealthCheckTimeoutS = 2,
                MaxConstructorRetryCount = 3,
                RequestRouterConfig = new() { Policy = RoutingPolicy.ConsistentHash, Key = "header:x-session-id", RequestRoutingStatsPeriodS = 1, RequestRoutingStatsTimeoutS = 2 },
                GangSchedulingConfig = new() { GangSize = 2, GangPlacementStrategy = GangPlacementStrategy.Spread, RuntimeFailurePolicy = GangFailurePolicy.RestartGang },
                Concurrency = ConcurrencyMode.Parallel,
                ActorOptions = new ReplicaResourceOptions { NumCpus = 0.5, NumGpus = 2, Memory = 1048576 },
            },
            deployment with { UserConfig = null, AutoscalingConfig = null, ActorOptions = deployment.ActorOptions with { Resources = null } });
    }

    [Fact]
    public void Tables_EverySettingHasAKey()
    {
        // Each property has a key, with the name of the property in JSON.
        Assert.Equal(Names<DeploymentOptions>(), Keys("every-key", "applications", 0, "deployments", 0));
        Assert.Equal(Names<AutoscalingOptions>(), Keys("every-key", "applications", 0, "deployments", 0, "autoscaling_config"));
        Assert.Equal(Names<AutoscalingPolicySpec>(), Keys("every-key", "applications", 0, "deployments", 0, "autoscaling_config", "policy"));
        Assert.Equal(Names<GangSchedulingOptions>(), Keys("every-key", "applications", 0, "deployments", 0, "gang_scheduling_config"));
        Assert.Equal(Names<ReplicaResourceOptions>(), Keys("every-key", "applications", 0, "deployments", 0, "actor_options"));
        Assert.Equal(Names<ApplicationConfig>(), Keys("every-key", "applications", 0));
        Assert.Equal(Names<CanarySpec>(), Keys("every-key", "applications", 0, "canary"));
        Assert.Equal(Names<ShadowSpec>(), Keys("every-key", "applications", 0, "shadow"));
        Assert.Equal(Names<HttpOptions>(), Keys("every-key", "http_options"));
        Assert.Equal(Names<ServeConfig>(), Keys("every-key"));
    }

    [Fact]
    public void Read_NoRouteAndAbsentRoute_AreDifferent()
    {
        var read = ServeConfigReader.Read(JsonNode.Parse("""{"applications":[{"name":"a","import_path":"x","route_prefix":null},{"name":"b","import_path":"x"}]}"""));

        Assert.Equal([ApplicationConfig.NoRoute, null], read.Applications.Select(application => application.RoutePrefix));
    }

    [Theory]
    [InlineData("""{"a":1,"a":2,"applications":[]}""", "duplicate key: ")]
    [InlineData("""{"applications":[{"import_path":"x","args":{"p":{"a":1,"a":2}}}]}""", "applications[0].args.p: duplicate key: ")]
    public void Read_DuplicateKey_IsAnError(string json, string expected)
    {
        var thrown = Assert.Throws<DefinitionException>(() => ServeConfigReader.Read(JsonNode.Parse(json)));

        Assert.StartsWith(expected, Assert.Single(thrown.Errors), StringComparison.Ordinal);
    }

    [Fact]
    public void Read_Nothing_IsAnError() =>
        Assert.Equal("expected an object, got null", Assert.Throws<DefinitionException>(() => ServeConfigReader.Read(null)).Message);

    [Fact]
    public void Read_NodesCreatedInMemory_EqualParsedOnes()
    {
        var config = new JsonObject { ["applications"] = new JsonArray(new JsonObject { ["import_path"] = "x", ["deployments"] = new JsonArray(
            new JsonObject { ["name"] = "D", ["num_replicas"] = 2, ["max_queued_requests"] = 3L, ["health_check_period_s"] = 5 }) }) };

        var deployment = ServeConfigReader.Read(config).Applications[0].Deployments[0];

        Assert.Equal((2, 3, 5), (deployment.NumReplicas, deployment.MaxQueuedRequests, deployment.HealthCheckPeriodS));
    }

    [Fact]
    public void ReadApplication_NameOfPath_IsDefaultOrMustMatch()
    {
        Assert.Equal("a", ServeConfigReader.ReadApplication(JsonNode.Parse("""{"import_path":"x"}"""), "a").Name);
        Assert.Equal("a", ServeConfigReader.ReadApplication(JsonNode.Parse("""{"name":"a","import_path":"x"}"""), "a").Name);
        Assert.Equal("default", ServeConfigReader.ReadApplication(JsonNode.Parse("""{"import_path":"x"}""")).Name);
        Assert.Equal(
            "name: must be 'a', the name in the request's path, but was 'b'",
            Assert.Throws<DefinitionException>(() => ServeConfigReader.ReadApplication(JsonNode.Parse("""{"name":"b","import_path":"x"}"""), "a")).Message);
        Assert.Equal(
            ["num_replica: unknown key 'num_replica'; known keys are args, autoscaling_policy, canary, deployments, external_scaler_enabled, import_path, isolation, name, note, reuse_worker, route_prefix, shadow", "deployments[1].name: 'D' is already used by deployments[0]"],
            Assert.Throws<DefinitionException>(() => ServeConfigReader.ReadApplication(JsonNode.Parse(
                """{"import_path":"x","num_replica":1,"deployments":[{"name":"D"},{"name":"D"}]}"""))).Errors);
    }

    private static IEnumerable<string> Names<T>() => typeof(T).GetProperties().Where(property => property.GetMethod is { IsStatic: false })
        .Select(property => JsonNamingPolicy.SnakeCaseLower.ConvertName(property.Name)).Order(StringComparer.Ordinal);

    private static IEnumerable<string> Keys(string folder, params object[] path)
    {
        JsonNode written = ServeConfigWriter.Write(ServeConfigReader.Read(JsonNode.Parse(File.ReadAllText(Path.Combine(Assets, folder, "config.json")))));
        foreach (var step in path)
            written = (step is int index ? written[index] : written[(string)step])!;
        return written.AsObject().Select(pair => pair.Key).Order(StringComparer.Ordinal);
    }
}
