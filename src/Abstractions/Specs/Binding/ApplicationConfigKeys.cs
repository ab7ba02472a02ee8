using System.Text.Json.Nodes;

namespace Serve.Specs.Binding;

/// <summary>The keys of one application in Ray Serve's schema: name, range, property.</summary>
internal static class ApplicationConfigKeys
{
    public static ConfigKeyTable<ApplicationConfig> Table { get; } = new(
        new ApplicationConfig { ImportPath = "" },
        Key("name", new ConstrainedTextRule(NameRules.NameProblem), o => o.Name, (o, v) => o with { Name = v }),
        Key("route_prefix", new RoutePrefixRule(), o => o.RoutePrefix, (o, v) => o with { RoutePrefix = v }),
        Key("import_path", new ConstrainedTextRule(NameRules.NotEmptyProblem), o => o.ImportPath, (o, v) => o with { ImportPath = v },
            required: "names a .cs file, a project, Assembly.dll[:Type] or package:HASH"),
        Key("args", new JsonObjectRule(), o => o.Args, (o, v) => o with { Args = v }),
        Key("isolation", new EnumValueRule<IsolationMode>(), o => o.Isolation, (o, v) => o with { Isolation = v }),
        Key("deployments", new ObjectListRule<DeploymentOptions>(DeploymentConfigKeys.Table), o => o.Deployments, (o, v) => o with { Deployments = v }),
        NotYet("runtime_env", RayDefaultValues.IsEmpty),
        NotYet("autoscaling_policy", RayDefaultValues.IsEmpty),
        NotYet("external_scaler_enabled", RayDefaultValues.IsFalse),
        NotYet("logging_config", RayDefaultValues.IsDefaultLogging));

    private static ConfigValueKey<ApplicationConfig, T> Key<T>(
        string name, ConfigValueRule<T> rule, Func<ApplicationConfig, object?> get, Func<ApplicationConfig, T, ApplicationConfig> set, string? alias = null, string? required = null)
        where T : notnull => new(name, rule, get, set, alias, required);

    private static UnsupportedKey<ApplicationConfig> NotYet(string name, Func<JsonNode, bool>? isDefault = null) => new(name, isDefault);
}
