using System.Text.Json.Nodes;

namespace Serve.Specs.Binding;

/// <summary>The keys of what one replica reserves: <c>actor_options</c> in Ray Serve's schema: name, range, property.</summary>
internal static class ResourceKeys
{
    public static KeyTable<ResourceOptions> Table { get; } = new(
        new ResourceOptions(),
        Key("num_cpus", NumberRule.Amount, o => o.NumCpus, (o, v) => o with { NumCpus = v }),
        Key("num_gpus", NumberRule.Devices, o => o.NumGpus, (o, v) => o with { NumGpus = v }),
        Key("memory", new IntegerRule<long>(0, long.MaxValue), o => o.Memory, (o, v) => o with { Memory = v }),
        Key("resources", new AmountsRule(), o => o.Resources, (o, v) => o with { Resources = v }),
        NotYet("accelerator_type"),
        NotYet("runtime_env", RayDefaults.IsEmpty),
        NotYet("label_selector", RayDefaults.IsEmpty),
        NotYet("fallback_strategy", RayDefaults.IsEmpty),
        NotYet("object_store_memory"));

    private static ValueKey<ResourceOptions, T> Key<T>(
        string name, ValueRule<T> rule, Func<ResourceOptions, object?> get, Func<ResourceOptions, T, ResourceOptions> set, string? alias = null, string? required = null)
        where T : notnull => new(name, rule, get, set, alias, required);

    private static NotYetKey<ResourceOptions> NotYet(string name, Func<JsonNode, bool>? isDefault = null) => new(name, isDefault);
}
