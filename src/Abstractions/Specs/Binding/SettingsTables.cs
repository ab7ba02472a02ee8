using System.Text.Json.Nodes;

namespace Serve.Specs.Binding;

/// <summary>Every key of the config file, Ray Serve's schema: name, property, range.</summary>
internal static class SettingsTables
{
    private static readonly TextRule Name = new(Texts.NameProblem);
    private static readonly IntegerRule<int> ReplicaCount = new(0, 10_000, notYet: "auto");
    private static readonly IntegerRule<int> Positive = new(1, int.MaxValue);
    private static readonly ObjectRule Free = new();

    public static KeyTable<ResourceOptions> Resources { get; } = new(
        new ResourceOptions(),
        Key<double>("num_cpus", NumberRule.Amount, o => o.NumCpus, (o, v) => o with { NumCpus = v }),
        Key<double>("num_gpus", NumberRule.Devices, o => o.NumGpus, (o, v) => o with { NumGpus = v }),
        Key<long>("memory", new IntegerRule<long>(0, long.MaxValue), o => o.Memory, (o, v) => o with { Memory = v }),
        Key<IReadOnlyDictionary<string, double>>("resources", new AmountsRule(), o => o.Resources, (o, v) => o with { Resources = v }),
        new NotYetKey<ResourceOptions>("accelerator_type"),
        new NotYetKey<ResourceOptions>("runtime_env", IsEmpty),
        new NotYetKey<ResourceOptions>("label_selector", IsEmpty),
        new NotYetKey<ResourceOptions>("fallback_strategy", IsEmpty),
        new NotYetKey<ResourceOptions>("object_store_memory"));

    public static KeyTable<DeploymentOptions> Deployment { get; } = new(
        new DeploymentOptions(),
        new ValueKey<DeploymentOptions, string>("name", Name, o => o.Name, (o, v) => o with { Name = v }, required: "names the deployment these settings are for"),
        Key("num_replicas", ReplicaCount, o => o.NumReplicas, (o, v) => o with { NumReplicas = v }),
        Key("max_ongoing_requests", Positive, o => o.MaxOngoingRequests, (o, v) => o with { MaxOngoingRequests = v }),
        Key("max_queued_requests", new IntegerRule<int>(-1, int.MaxValue), o => o.MaxQueuedRequests, (o, v) => o with { MaxQueuedRequests = v }),
        Key("user_config", Free, o => o.UserConfig, (o, v) => o with { UserConfig = v }),
        Key("graceful_shutdown_wait_loop_s", NumberRule.PositiveSeconds, o => o.GracefulShutdownWaitLoopS, (o, v) => o with { GracefulShutdownWaitLoopS = v }),
        Key("graceful_shutdown_timeout_s", NumberRule.Seconds, o => o.GracefulShutdownTimeoutS, (o, v) => o with { GracefulShutdownTimeoutS = v }),
        Key("health_check_period_s", NumberRule.PositiveSeconds, o => o.HealthCheckPeriodS, (o, v) => o with { HealthCheckPeriodS = v }),
        Key("health_check_timeout_s", NumberRule.PositiveSeconds, o => o.HealthCheckTimeoutS, (o, v) => o with { HealthCheckTimeoutS = v }),
        Key("max_constructor_retry_count", Positive, o => o.MaxConstructorRetryCount, (o, v) => o with { MaxConstructorRetryCount = v }),
        Key("concurrency", new ChoiceRule<ConcurrencyMode>(), o => o.Concurrency, (o, v) => o with { Concurrency = v }),
        new ValueKey<DeploymentOptions, ResourceOptions>(
            "actor_options", new TableRule<ResourceOptions>(Resources), o => o.ActorOptions, (o, v) => o with { ActorOptions = v }, alias: "ray_actor_options"),
        new NotYetKey<DeploymentOptions>("autoscaling_config"),
        new NotYetKey<DeploymentOptions>("placement_group_bundles", IsEmpty),
        new NotYetKey<DeploymentOptions>("placement_group_strategy", IsText("PACK")),
        new NotYetKey<DeploymentOptions>("placement_group_bundle_label_selector", IsEmpty),
        new NotYetKey<DeploymentOptions>("placement_group_fallback_strategy", IsEmpty),
        new NotYetKey<DeploymentOptions>("max_replicas_per_node"),
        new NotYetKey<DeploymentOptions>("logging_config", IsDefaultLogging),
        new NotYetKey<DeploymentOptions>("request_router_config", IsEmpty),
        new NotYetKey<DeploymentOptions>("gang_scheduling_config", IsEmpty),
        new NotYetKey<DeploymentOptions>("deployment_actors", IsEmpty));

    public static KeyTable<ApplicationConfig> Application { get; } = new(
        new ApplicationConfig { ImportPath = "" },
        new ValueKey<ApplicationConfig, string>("name", Name, o => o.Name, (o, v) => o with { Name = v }),
        Key("route_prefix", new RoutePrefixRule(), o => o.RoutePrefix, (o, v) => o with { RoutePrefix = v }),
        new ValueKey<ApplicationConfig, string>(
            "import_path", new TextRule(Texts.NotEmptyProblem), o => o.ImportPath, (o, v) => o with { ImportPath = v },
            required: "names a .cs file, a project, Assembly.dll[:Type] or package:HASH"),
        Key("args", Free, o => o.Args, (o, v) => o with { Args = v }),
        Key("isolation", new ChoiceRule<IsolationMode>(), o => o.Isolation, (o, v) => o with { Isolation = v }),
        Key("deployments", new ListRule<DeploymentOptions>(Deployment), o => o.Deployments, (o, v) => o with { Deployments = v }),
        new NotYetKey<ApplicationConfig>("runtime_env", IsEmpty),
        new NotYetKey<ApplicationConfig>("autoscaling_policy", IsEmpty),
        new NotYetKey<ApplicationConfig>("external_scaler_enabled", IsFalse),
        new NotYetKey<ApplicationConfig>("logging_config", IsDefaultLogging));

    public static KeyTable<HttpOptions> Http { get; } = new(
        new HttpOptions(),
        Key("host", new TextRule(Texts.NotEmptyProblem), o => o.Host, (o, v) => o with { Host = v }),
        Key("port", new IntegerRule<int>(0, 65_535), o => o.Port, (o, v) => o with { Port = v }),
        Key("root_path", new TextRule(Texts.RootPathProblem), o => o.RootPath, (o, v) => o with { RootPath = v }),
        Key("request_timeout_s", NumberRule.PositiveSeconds, o => o.RequestTimeoutS, (o, v) => o with { RequestTimeoutS = v }),
        Key("keep_alive_timeout_s", NumberRule.PositiveSeconds, o => o.KeepAliveTimeoutS, (o, v) => o with { KeepAliveTimeoutS = v }),
        Key("max_request_body_bytes", new IntegerRule<long>(1, long.MaxValue), o => o.MaxRequestBodyBytes, (o, v) => o with { MaxRequestBodyBytes = v }),
        new NotYetKey<HttpOptions>("ssl_keyfile"),
        new NotYetKey<HttpOptions>("ssl_certfile"),
        new NotYetKey<HttpOptions>("ssl_keyfile_password"),
        new NotYetKey<HttpOptions>("ssl_ca_certs"));

    public static KeyTable<ServeConfig> Serve { get; } = new(
        new ServeConfig { Applications = [] },
        Key("http_options", new TableRule<HttpOptions>(Http), o => o.HttpOptions, (o, v) => o with { HttpOptions = v }),
        new ValueKey<ServeConfig, IReadOnlyList<ApplicationConfig>>(
            "applications", new ListRule<ApplicationConfig>(Application), o => o.Applications, (o, v) => o with { Applications = v },
            required: "lists the applications to run; [] for none"),
        // Gateways run on every node that there is; where Ray would put its proxies changes nothing.
        new NotYetKey<ServeConfig>("proxy_location", _ => true),
        new NotYetKey<ServeConfig>("grpc_options", node => node is JsonObject options && (options["grpc_servicer_functions"] is not { } functions || IsEmpty(functions))),
        new NotYetKey<ServeConfig>("logging_config", IsDefaultLogging),
        new NotYetKey<ServeConfig>("tracing_config", IsEmpty),
        new NotYetKey<ServeConfig>("target_capacity"));

    private static bool IsEmpty(JsonNode node) => node is JsonObject { Count: 0 } or JsonArray { Count: 0 };

    private static bool IsFalse(JsonNode node) => node.GetValueKind() == System.Text.Json.JsonValueKind.False;

    private static Func<JsonNode, bool> IsText(string text) => node => node is JsonValue value && value.TryGetValue<string>(out var got) && got == text;

    // What `serve build` of Ray writes into every file.
    private static bool IsDefaultLogging(JsonNode node) => node is JsonObject options && options.All(option => option.Key switch
    {
        "encoding" => option.Value is null || IsText("TEXT")(option.Value),
        "log_level" => option.Value is null || IsText("INFO")(option.Value),
        "enable_access_log" => option.Value is null || !IsFalse(option.Value),
        "logs_dir" => option.Value is null,
        "additional_log_standard_attrs" => option.Value is null || IsEmpty(option.Value),
        _ => false,
    });

    private static ValueKey<ResourceOptions, T> Key<T>(string name, ValueRule<T> rule, Func<ResourceOptions, object?> get, Func<ResourceOptions, T, ResourceOptions> set)
        where T : notnull => new(name, rule, get, set);

    private static ValueKey<DeploymentOptions, T> Key<T>(string name, ValueRule<T> rule, Func<DeploymentOptions, object?> get, Func<DeploymentOptions, T, DeploymentOptions> set)
        where T : notnull => new(name, rule, get, set);

    private static ValueKey<ApplicationConfig, T> Key<T>(string name, ValueRule<T> rule, Func<ApplicationConfig, object?> get, Func<ApplicationConfig, T, ApplicationConfig> set)
        where T : notnull => new(name, rule, get, set);

    private static ValueKey<HttpOptions, T> Key<T>(string name, ValueRule<T> rule, Func<HttpOptions, object?> get, Func<HttpOptions, T, HttpOptions> set)
        where T : notnull => new(name, rule, get, set);

    private static ValueKey<ServeConfig, T> Key<T>(string name, ValueRule<T> rule, Func<ServeConfig, object?> get, Func<ServeConfig, T, ServeConfig> set)
        where T : notnull => new(name, rule, get, set);
}
