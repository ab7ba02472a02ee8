using System.Text.Json.Nodes;

namespace Serve.Specs.Binding;

/// <summary>The keys of the config file's top level in Ray Serve's schema: name, range, property.</summary>
internal static class ServeKeys
{
    public static KeyTable<ServeConfig> Table { get; } = new(
        new ServeConfig { Applications = [] },
        Key("http_options", new TableRule<HttpOptions>(HttpKeys.Table), o => o.HttpOptions, (o, v) => o with { HttpOptions = v }),
        Key("applications", new ListRule<ApplicationConfig>(ApplicationKeys.Table), o => o.Applications, (o, v) => o with { Applications = v },
            required: "lists the applications to run; [] for none"),
        // Gateways run on every node that there is; where Ray would put its proxies changes nothing.
        NotYet("proxy_location", _ => true),
        NotYet("grpc_options", node => node is JsonObject options && (options["grpc_servicer_functions"] is not { } functions || RayDefaults.IsEmpty(functions))),
        NotYet("logging_config", RayDefaults.IsDefaultLogging),
        NotYet("tracing_config", RayDefaults.IsEmpty),
        NotYet("target_capacity"));

    private static ValueKey<ServeConfig, T> Key<T>(
        string name, ValueRule<T> rule, Func<ServeConfig, object?> get, Func<ServeConfig, T, ServeConfig> set, string? alias = null, string? required = null)
        where T : notnull => new(name, rule, get, set, alias, required);

    private static NotYetKey<ServeConfig> NotYet(string name, Func<JsonNode, bool>? isDefault = null) => new(name, isDefault);
}
