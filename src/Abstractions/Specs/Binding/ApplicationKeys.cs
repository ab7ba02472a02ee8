using System.Text.Json.Nodes;

namespace Serve.Specs.Binding;

/// <summary>The keys of one application in Ray Serve's schema: name, range, property.</summary>
internal static class ApplicationKeys
{
    public static KeyTable<ApplicationConfig> Table { get; } = new(
        new ApplicationConfig { ImportPath = "" },
        Key("name", new TextRule(Texts.NameProblem), o => o.Name, (o, v) => o with { Name = v }),
        Key("route_prefix", new RoutePrefixRule(), o => o.RoutePrefix, (o, v) => o with { RoutePrefix = v }),
        Key("import_path", new TextRule(Texts.NotEmptyProblem), o => o.ImportPath, (o, v) => o with { ImportPath = v },
            required: "names a .cs file, a project, Assembly.dll[:Type] or package:HASH"),
        Key("args", new ObjectRule(), o => o.Args, (o, v) => o with { Args = v }),
        Key("isolation", new ChoiceRule<IsolationMode>(), o => o.Isolation, (o, v) => o with { Isolation = v }),
        Key("deployments", new ListRule<DeploymentOptions>(DeploymentKeys.Table), o => o.Deployments, (o, v) => o with { Deployments = v }),
        NotYet("runtime_env", RayDefaults.IsEmpty),
        NotYet("autoscaling_policy", RayDefaults.IsEmpty),
        NotYet("external_scaler_enabled", RayDefaults.IsFalse),
        NotYet("logging_config", RayDefaults.IsDefaultLogging));

    private static ValueKey<ApplicationConfig, T> Key<T>(
        string name, ValueRule<T> rule, Func<ApplicationConfig, object?> get, Func<ApplicationConfig, T, ApplicationConfig> set, string? alias = null, string? required = null)
        where T : notnull => new(name, rule, get, set, alias, required);

    private static NotYetKey<ApplicationConfig> NotYet(string name, Func<JsonNode, bool>? isDefault = null) => new(name, isDefault);
}
