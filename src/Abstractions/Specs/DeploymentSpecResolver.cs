using System.Collections.Immutable;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using Serve.Specs.Binding;

namespace Serve.Specs;

/// <summary>Merges deployment options into complete specs, and determines the impact of a change on running replicas.</summary>
public static class DeploymentSpecResolver
{
    private static readonly ImmutableArray<(PropertyInfo Property, UpdateImpact Impact)> Impacts =
    [
        .. from property in typeof(DeploymentSpec).GetProperties(BindingFlags.Public | BindingFlags.Instance)
           let attribute = property.GetCustomAttribute<UpdateImpactAttribute>()
           where attribute is not null
           select (property, attribute.Impact),
    ];

    /// <summary>Merges key by key: the file over the code over the defaults. <c>user_config</c> and <c>actor_options</c> are merged key by key themselves.</summary>
    /// <param name="code">Options set by the class's attribute, including the name.</param>
    /// <param name="file">Options set by the config file, the CLI or the REST body; null for none.</param>
    /// <returns>The complete settings.</returns>
    /// <exception cref="DefinitionException">Values are out of range; lists all of them.</exception>
    public static DeploymentSpec Merge(DeploymentOptions code, DeploymentOptions? file)
    {
        ArgumentNullException.ThrowIfNull(code);
        var errors = new ConfigErrorCollector();
        CheckReplicaCount(code, errors);
        if (file is not null)
            CheckReplicaCount(file, errors);
        var merged = file is null ? code : (DeploymentOptions)ConfigKeyTable.Deployment.Merge(WithoutReplaced(code, file), file);
        if (merged.Name is null)
            errors.Add("", "The deployment has no name.");
        ConfigKeyTable.Deployment.Check(merged, merged.Name ?? "deployment", errors);
        CheckRouter(merged.RequestRouterConfig, $"{merged.Name ?? "deployment"}.request_router_config", errors);
        errors.ThrowIfAny();
        var autoscaling = ResolveAutoscaling(merged, errors);
        errors.ThrowIfAny();
        CheckGang(merged, autoscaling, errors);
        errors.ThrowIfAny();
        return Override(new DeploymentSpec { Name = merged.Name! }, merged) with
        {
            NumReplicas = autoscaling is null ? merged.NumReplicas?.Number ?? DeploymentSpec.Default.NumReplicas : autoscaling.InitialReplicas ?? autoscaling.MinReplicas,
            Autoscaling = autoscaling,
            UserConfig = (JsonObject?)merged.UserConfig?.DeepClone(),
            Resources = Override(new ReplicaResourceSpec(), merged.ActorOptions),
            Gang = merged.GangSchedulingConfig is { } gang ? Override(new GangSchedulingSpec(), gang) : null,
            Router = Override(new RequestRouterSpec(), merged.RequestRouterConfig),
        };
    }

    /// <summary>Returns the greatest impact of all settings that differ.</summary>
    /// <param name="before">Settings of the running replicas.</param>
    /// <param name="after">Requested settings.</param>
    public static UpdateImpact Impact(DeploymentSpec before, DeploymentSpec after) => Impacts
        .Where(pair => !JsonNode.DeepEquals(ToJson(pair.Property, before), ToJson(pair.Property, after)))
        .Select(pair => pair.Impact)
        .DefaultIfEmpty(UpdateImpact.None)
        .Max();

    private static void CheckRouter(RequestRouterOptions? router, string path, ConfigErrorCollector errors)
    {
        if (router is { Policy: not null, RequestRouterClass: not null })
            errors.Add(path, "policy and request_router_class exclude each other; remove one of them");
        if (router is { RequestRouterKwargs: not null, RequestRouterClass: null })
            errors.Add($"{path}.request_router_kwargs", "has no effect without request_router_class; remove it");
        if (router is { Key: not null, RequestRouterClass: null } && router.Policy is not (RoutingPolicy.ConsistentHash or RoutingPolicy.PrefixAffinity))
            errors.Add($"{path}.key", "has no effect with this policy; set policy to consistent_hash or prefix_affinity");
    }

    private static void CheckGang(DeploymentOptions merged, AutoscalingSpec? autoscaling, ConfigErrorCollector errors)
    {
        if (merged.GangSchedulingConfig is not { } gang)
            return;
        if (gang.GangSize is not { } size)
        {
            errors.Add($"{merged.Name}.gang_scheduling_config.gang_size", "missing; the number of replicas that are placed and restarted together");
            return;
        }

        (string Key, int? Value)[] counts = autoscaling is null
            ? [("num_replicas", merged.NumReplicas?.Number ?? DeploymentSpec.Default.NumReplicas)]
            : [("autoscaling_config.min_replicas", autoscaling.MinReplicas), ("autoscaling_config.max_replicas", autoscaling.MaxReplicas), ("autoscaling_config.initial_replicas", autoscaling.InitialReplicas)];
        foreach (var (key, value) in counts)
        {
            if (value % size is not (null or 0))
                errors.Add($"{merged.Name}.{key}", $"must be a multiple of gang_size, {size}, but was {value}");
        }
    }

    private static void CheckReplicaCount(DeploymentOptions options, ConfigErrorCollector errors)
    {
        if (options is { NumReplicas: { IsAuto: false } count, AutoscalingConfig: not null })
            errors.Add($"{options.Name ?? "deployment"}.num_replicas", $"must be 'auto' or absent with autoscaling_config, but was {count}");
    }

    // A number in the file replaces autoscaling in the code, and the reverse.
    private static DeploymentOptions WithoutReplaced(DeploymentOptions code, DeploymentOptions file) => file switch
    {
        { NumReplicas.IsAuto: false } => code with { AutoscalingConfig = null },
        { AutoscalingConfig: not null } or { NumReplicas.IsAuto: true } when code.NumReplicas is { IsAuto: false } => code with { NumReplicas = null },
        _ => code,
    };

    private static AutoscalingSpec? ResolveAutoscaling(DeploymentOptions merged, ConfigErrorCollector errors)
    {
        var isAuto = merged.NumReplicas is { IsAuto: true };
        if (merged.AutoscalingConfig is null && !isAuto)
            return null;
        var defaults = new AutoscalingSpec();
        var spec = Override(isAuto ? defaults with { MaxReplicas = AutoscalingSpec.AutoMaxReplicas } : defaults, merged.AutoscalingConfig);
        spec.Check($"{merged.Name}.autoscaling_config", errors);
        return spec;
    }

    // Compared as JSON, since records compare objects and dictionaries by reference.
    private static JsonNode? ToJson(PropertyInfo property, DeploymentSpec spec) =>
        JsonSerializer.SerializeToNode(property.GetValue(spec), property.PropertyType, ServeJson.Options);

    /// <summary>Replaces the defaults in a new spec by the options that are set, matched by property name.</summary>
    private static T Override<T>(T defaults, object? options)
        where T : class
    {
        foreach (var source in options?.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance) ?? [])
        {
            if (source.GetValue(options) is { } value && typeof(T).GetProperty(source.Name) is { } property && value is not ReplicaCount)
                property.SetValue(defaults, value is IReadOnlyDictionary<string, double> amounts ? amounts.ToImmutableSortedDictionary(StringComparer.Ordinal) : value);
        }

        return defaults;
    }
}
