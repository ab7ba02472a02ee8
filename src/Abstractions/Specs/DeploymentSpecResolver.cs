using System.Collections.Immutable;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using Serve.Specs.Binding;

namespace Serve.Specs;

/// <summary>Makes specs of options, and says what changing one means for running replicas.</summary>
public static class DeploymentSpecResolver
{
    private static readonly ImmutableArray<(PropertyInfo Property, UpdateImpact Impact)> Impacts =
    [
        .. from property in typeof(DeploymentSpec).GetProperties(BindingFlags.Public | BindingFlags.Instance)
           let attribute = property.GetCustomAttribute<UpdateImpactAttribute>()
           where attribute is not null
           select (property, attribute.Impact),
    ];

    /// <summary>Merges key by key: the file over the code over the defaults. <c>user_config</c> and <c>actor_options</c> merge key by key within.</summary>
    /// <param name="code">What the class's attribute sets, its name among it.</param>
    /// <param name="file">What the config file, the CLI or the REST body sets; null for nothing.</param>
    /// <returns>The complete settings.</returns>
    /// <exception cref="DefinitionException">Values out of range; all of them.</exception>
    public static DeploymentSpec Merge(DeploymentOptions code, DeploymentOptions? file)
    {
        ArgumentNullException.ThrowIfNull(code);
        var merged = file is null ? code : DeploymentConfigKeys.Table.Merge(code, file);
        var errors = new ConfigErrorCollector();
        if (merged.Name is null)
            errors.Add("", "The deployment has no name.");
        DeploymentConfigKeys.Table.Check(merged, merged.Name ?? "deployment", errors);
        errors.ThrowIfAny();
        return Complete(merged);
    }

    /// <summary>What it takes to bring a replica from one spec to another: the gravest impact of all settings that differ.</summary>
    /// <param name="before">What runs.</param>
    /// <param name="after">What is wanted.</param>
    /// <returns>The impact; <see cref="UpdateImpact.None"/> when replicas need not know.</returns>
    public static UpdateImpact Impact(DeploymentSpec before, DeploymentSpec after) => Impacts
        .Where(pair => !JsonNode.DeepEquals(ToJson(pair.Property, before), ToJson(pair.Property, after)))
        .Select(pair => pair.Impact)
        .DefaultIfEmpty(UpdateImpact.None)
        .Max();

    // As JSON, since objects and dictionaries within records compare by reference.
    private static JsonNode? ToJson(PropertyInfo property, DeploymentSpec spec) =>
        JsonSerializer.SerializeToNode(property.GetValue(spec), property.PropertyType, ServeJson.Options);

    private static DeploymentSpec Complete(DeploymentOptions options)
    {
        var defaults = DeploymentSpec.Default;
        return new DeploymentSpec
        {
            Name = options.Name!,
            NumReplicas = options.NumReplicas ?? defaults.NumReplicas,
            MaxOngoingRequests = options.MaxOngoingRequests ?? defaults.MaxOngoingRequests,
            MaxQueuedRequests = options.MaxQueuedRequests ?? defaults.MaxQueuedRequests,
            UserConfig = (JsonObject?)options.UserConfig?.DeepClone(),
            GracefulShutdownWaitLoopS = options.GracefulShutdownWaitLoopS ?? defaults.GracefulShutdownWaitLoopS,
            GracefulShutdownTimeoutS = options.GracefulShutdownTimeoutS ?? defaults.GracefulShutdownTimeoutS,
            HealthCheckPeriodS = options.HealthCheckPeriodS ?? defaults.HealthCheckPeriodS,
            HealthCheckTimeoutS = options.HealthCheckTimeoutS ?? defaults.HealthCheckTimeoutS,
            MaxConstructorRetryCount = options.MaxConstructorRetryCount ?? defaults.MaxConstructorRetryCount,
            Concurrency = options.Concurrency ?? defaults.Concurrency,
            Resources = new ReplicaResourceSpec
            {
                NumCpus = options.ActorOptions?.NumCpus ?? defaults.Resources.NumCpus,
                NumGpus = options.ActorOptions?.NumGpus ?? defaults.Resources.NumGpus,
                Memory = options.ActorOptions?.Memory ?? defaults.Resources.Memory,
                Resources = options.ActorOptions?.Resources?.ToImmutableSortedDictionary(StringComparer.Ordinal) ?? defaults.Resources.Resources,
            },
        };
    }
}
