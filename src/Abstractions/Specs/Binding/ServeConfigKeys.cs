using System.Text.Json.Nodes;

namespace Serve.Specs.Binding;

/// <summary>The keys of the config file's top level in Ray Serve's schema: name, range, property.</summary>
internal static class ServeConfigKeys
{
    public static ConfigKeyTable<ServeConfig> Table { get; } = new(
        new ServeConfig { Applications = [] },
        Key("http_options", new NestedTableRule<HttpOptions>(HttpConfigKeys.Table), o => o.HttpOptions, (o, v) => o with { HttpOptions = v }),
        Key("applications", new ObjectListRule<ApplicationConfig>(ApplicationConfigKeys.Table), o => o.Applications, (o, v) => o with { Applications = v },
            required: "lists the applications to run; [] for none"),
        // Gateways run on every node that there is; where Ray would put its proxies changes nothing.
        NotYet("proxy_location", _ => true),
        NotYet("grpc_options", node => node is JsonObject options && (options["grpc_servicer_functions"] is not { } functions || RayDefaultValues.IsEmpty(functions))),
        NotYet("logging_config", RayDefaultValues.IsDefaultLogging),
        NotYet("tracing_config", RayDefaultValues.IsEmpty),
        NotYet("target_capacity"));

    private static ConfigValueKey<ServeConfig, T> Key<T>(
        string name, ConfigValueRule<T> rule, Func<ServeConfig, object?> get, Func<ServeConfig, T, ServeConfig> set, string? alias = null, string? required = null)
        where T : notnull => new(name, rule, get, set, alias, required);

    private static UnsupportedKey<ServeConfig> NotYet(string name, Func<JsonNode, bool>? isDefault = null) => new(name, isDefault);
}
