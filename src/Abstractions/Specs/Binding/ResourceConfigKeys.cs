using System.Text.Json.Nodes;

namespace Serve.Specs.Binding;

/// <summary>The keys of what one replica reserves: <c>actor_options</c> in Ray Serve's schema: name, range, property.</summary>
internal static class ResourceConfigKeys
{
    public static ConfigKeyTable<ReplicaResourceOptions> Table { get; } = new(
        new ReplicaResourceOptions(),
        Key("num_cpus", NumberRangeRule.Amount, o => o.NumCpus, (o, v) => o with { NumCpus = v }),
        Key("num_gpus", NumberRangeRule.Devices, o => o.NumGpus, (o, v) => o with { NumGpus = v }),
        Key("memory", new IntegerRangeRule<long>(0, long.MaxValue), o => o.Memory, (o, v) => o with { Memory = v }),
        Key("resources", new ResourceAmountsRule(), o => o.Resources, (o, v) => o with { Resources = v }),
        NotYet("accelerator_type"),
        NotYet("runtime_env", RayDefaultValues.IsEmpty),
        NotYet("label_selector", RayDefaultValues.IsEmpty),
        NotYet("fallback_strategy", RayDefaultValues.IsEmpty),
        NotYet("object_store_memory"));

    private static ConfigValueKey<ReplicaResourceOptions, T> Key<T>(
        string name, ConfigValueRule<T> rule, Func<ReplicaResourceOptions, object?> get, Func<ReplicaResourceOptions, T, ReplicaResourceOptions> set, string? alias = null, string? required = null)
        where T : notnull => new(name, rule, get, set, alias, required);

    private static UnsupportedKey<ReplicaResourceOptions> NotYet(string name, Func<JsonNode, bool>? isDefault = null) => new(name, isDefault);
}
