using System.Text.Json.Nodes;

namespace Serve.Specs.Binding;

/// <summary>The keys of one deployment's settings in Ray Serve's schema: name, range, property.</summary>
internal static class DeploymentConfigKeys
{
    public static ConfigKeyTable<DeploymentOptions> Table { get; } = new(
        new DeploymentOptions(),
        Key("name", new ConstrainedTextRule(NameRules.NameProblem), o => o.Name, (o, v) => o with { Name = v }, required: "names the deployment these settings are for"),
        Key("num_replicas", new IntegerRangeRule<int>(0, 10_000, notYet: "auto"), o => o.NumReplicas, (o, v) => o with { NumReplicas = v }),
        Key("max_ongoing_requests", new IntegerRangeRule<int>(1, 1 << 29), o => o.MaxOngoingRequests, (o, v) => o with { MaxOngoingRequests = v }),
        Key("max_queued_requests", new IntegerRangeRule<int>(-1, int.MaxValue), o => o.MaxQueuedRequests, (o, v) => o with { MaxQueuedRequests = v }),
        Key("user_config", new JsonObjectRule(), o => o.UserConfig, (o, v) => o with { UserConfig = v }),
        Key("graceful_shutdown_wait_loop_s", NumberRangeRule.Seconds, o => o.GracefulShutdownWaitLoopS, (o, v) => o with { GracefulShutdownWaitLoopS = v }),
        Key("graceful_shutdown_timeout_s", NumberRangeRule.Seconds, o => o.GracefulShutdownTimeoutS, (o, v) => o with { GracefulShutdownTimeoutS = v }),
        Key("health_check_period_s", NumberRangeRule.PositiveSeconds, o => o.HealthCheckPeriodS, (o, v) => o with { HealthCheckPeriodS = v }),
        Key("health_check_timeout_s", NumberRangeRule.PositiveSeconds, o => o.HealthCheckTimeoutS, (o, v) => o with { HealthCheckTimeoutS = v }),
        Key("max_constructor_retry_count", new IntegerRangeRule<int>(1, int.MaxValue), o => o.MaxConstructorRetryCount, (o, v) => o with { MaxConstructorRetryCount = v }),
        Key("concurrency", new EnumValueRule<ConcurrencyMode>(), o => o.Concurrency, (o, v) => o with { Concurrency = v }),
        Key("actor_options", new NestedTableRule<ReplicaResourceOptions>(ResourceConfigKeys.Table), o => o.ActorOptions, (o, v) => o with { ActorOptions = v }, alias: "ray_actor_options"),
        NotYet("autoscaling_config"),
        NotYet("placement_group_bundles", RayDefaultValues.IsEmpty),
        NotYet("placement_group_strategy", RayDefaultValues.IsText("PACK")),
        NotYet("placement_group_bundle_label_selector", RayDefaultValues.IsEmpty),
        NotYet("placement_group_fallback_strategy", RayDefaultValues.IsEmpty),
        NotYet("max_replicas_per_node"),
        NotYet("logging_config", RayDefaultValues.IsDefaultLogging),
        NotYet("request_router_config", RayDefaultValues.IsEmpty),
        NotYet("gang_scheduling_config", RayDefaultValues.IsEmpty),
        NotYet("deployment_actors", RayDefaultValues.IsEmpty));

    private static ConfigValueKey<DeploymentOptions, T> Key<T>(
        string name, ConfigValueRule<T> rule, Func<DeploymentOptions, object?> get, Func<DeploymentOptions, T, DeploymentOptions> set, string? alias = null, string? required = null)
        where T : notnull => new(name, rule, get, set, alias, required);

    private static UnsupportedKey<DeploymentOptions> NotYet(string name, Func<JsonNode, bool>? isDefault = null) => new(name, isDefault);
}
