using System.Collections.Frozen;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Serve.Specs.Binding;

/// <summary>
/// All configuration keys of one settings type: reads, validates, merges and writes its objects. Built from the type's properties and their
/// <see cref="ConfigKeyAttribute"/>.
/// </summary>
internal sealed class ConfigKeyTable
{
    private readonly Func<object> _create;
    private readonly ConfigKey[] _keys;
    private readonly FrozenDictionary<string, ConfigKey> _byName;

    /// <param name="create">Creates an object without values.</param>
    /// <param name="type">Its type.</param>
    /// <param name="description">The type whose properties of the same names carry the attributes; null for the type itself.</param>
    /// <param name="unsupported">Keys of Ray Serve's schema that are not supported yet.</param>
    private ConfigKeyTable(Func<object> create, Type type, Type? description, UnsupportedKey[] unsupported)
    {
        _create = create;
        _keys = [.. type.GetProperties(BindingFlags.Public | BindingFlags.Instance).OrderBy(property => property.MetadataToken)
            .Select(property => new ConfigKey(property, AttributeOf(property, description)))];
        Dictionary<string, ConfigKey> byName = unsupported.ToDictionary(key => key.Name, key => new ConfigKey(key));
        foreach (var key in _keys)
        {
            byName.Add(key.Name, key);
            if (key.Alias is not null)
                byName.Add(key.Alias, key);
        }

        _byName = byName.ToFrozenDictionary();
    }

    public static ConfigKeyTable Serve => Tables.Serve;

    public static ConfigKeyTable Application => Tables.Application;

    public static ConfigKeyTable Deployment => Tables.Deployment;

    public static ConfigKeyTable For(Type type) =>
        type == typeof(HttpOptions) ? Tables.Http
        : type == typeof(ApplicationConfig) ? Tables.Application
        : type == typeof(DeploymentOptions) ? Tables.Deployment
        : type == typeof(ReplicaResourceOptions) ? Tables.Resources
        : type == typeof(RequestRouterOptions) ? Tables.RequestRouter
        : type == typeof(GangSchedulingOptions) ? Tables.GangScheduling
        : type == typeof(AutoscalingOptions) ? Tables.Autoscaling
        : type == typeof(CanarySpec) ? Tables.Canary
        : type == typeof(ShadowSpec) ? Tables.Shadow
        : type == typeof(AutoscalingPolicySpec) ? Tables.AutoscalingPolicy
        : throw new ArgumentException($"{type.Name} is not a settings type.", nameof(type));

    public object Read(JsonNode? node, string path, ConfigErrorCollector errors)
    {
        var options = _create();
        if (node is not JsonObject json)
        {
            errors.Add(path, $"expected an object, got {ConfigErrorCollector.Describe(node)}");
            return options;
        }

        HashSet<string> seen = [];
        foreach (var (name, value) in json)
        {
            var at = Join(path, name);
            if (!_byName.TryGetValue(name, out var key))
                errors.Add(at, DescribeUnknown(name));
            else if (!seen.Add(key.Name))
                errors.Add(at, $"'{key.Name}' and '{key.Alias}' are the same key; use one of them");
            else
                key.Read(options, value, at, errors);
        }

        foreach (var key in _keys.Where(key => key.Required is not null && !seen.Contains(key.Name)))
            errors.Add(Join(path, key.Name), $"missing; {key.Required}");
        return options;
    }

    public void Check(object options, string path, ConfigErrorCollector errors)
    {
        foreach (var key in _keys)
        {
            if (key.Get(options) is { } value)
                key.Rule.Check(value, Join(path, key.Name), errors);
        }
    }

    /// <summary>Merges two objects key by key.</summary>
    public object Merge(object lower, object upper)
    {
        var merged = _create();
        foreach (var key in _keys)
        {
            var (below, above) = (key.Get(lower), key.Get(upper));
            key.Set(merged, below is null || above is null ? above ?? below : key.Rule.Merge(below, above));
        }

        return merged;
    }

    public JsonObject Write(object options)
    {
        JsonObject json = [];
        foreach (var key in _keys)
        {
            if (key.Get(options) is { } value)
                json[key.Name] = key.Rule.Write(value);
        }

        return json;
    }

    private static ConfigKeyAttribute AttributeOf(PropertyInfo property, Type? description) =>
        (description?.GetProperty(property.Name) ?? property).GetCustomAttribute<ConfigKeyAttribute>() ?? new();

    private static string Join(string path, string name) => path.Length == 0 ? name : $"{path}.{name}";

    private string DescribeUnknown(string name) => NearestNameFinder.Find(name, _byName.Keys) is { } nearest
        ? $"unknown key '{name}'; did you mean '{nearest}'?"
        : $"unknown key '{name}'; known keys are {string.Join(", ", _keys.Select(key => key.Name).Order(StringComparer.Ordinal))}";

    /// <summary>A key of a table: a property, or a name that is not supported yet.</summary>
    private sealed class ConfigKey
    {
        private readonly PropertyInfo? _property;
        private readonly UnsupportedKey? _unsupported;
        private ConfigValueRule? _rule;
        private readonly ConfigKeyAttribute _attribute = new();

        public ConfigKey(PropertyInfo property, ConfigKeyAttribute attribute)
        {
            (_property, _attribute) = (property, attribute);
            Name = JsonNamingPolicy.SnakeCaseLower.ConvertName(property.Name);
        }

        public ConfigKey(UnsupportedKey unsupported) => (_unsupported, Name) = (unsupported, unsupported.Name);

        public string Name { get; }

        public string? Alias => _attribute.Alias;

        public string? Required => _attribute.Required;

        // Created on first use: rules of nested tables refer to tables that are built later.
        public ConfigValueRule Rule => _rule ??= ConfigValueRule.For(_property!, _attribute);

        public object? Get(object options) => _property!.GetValue(options);

        public void Set(object options, object? value) => _property!.SetValue(options, value);

        public void Read(object options, JsonNode? node, string path, ConfigErrorCollector errors)
        {
            if (_unsupported is not null)
            {
                if (node is not null && _unsupported.IsDefault?.Invoke(node) != true)
                    errors.Add(path, $"'{Name}' is not supported yet; remove it");
                return;
            }

            // As in Ray Serve's schema, null is the same as an absent key.
            if (node is null && !Rule.AcceptsNull && Required is null)
                return;
            if (Rule.TryRead(node, path, errors, out var value))
                Set(options, value);
        }
    }

    /// <summary>A key of Ray Serve's schema that is not supported yet. Files in which it has its default value can be read.</summary>
    /// <param name="Name">Name of the key.</param>
    /// <param name="IsDefault">Returns whether a value, other than null, equals the default.</param>
    private sealed record UnsupportedKey(string Name, Func<JsonNode, bool>? IsDefault = null);

    private static class Tables
    {
        public static readonly ConfigKeyTable Resources = new(static () => new ReplicaResourceOptions(), typeof(ReplicaResourceOptions), typeof(ReplicaResourceSpec),
        [
            new("accelerator_type"),
            new("runtime_env", RayDefaultValues.IsEmpty),
            new("label_selector", RayDefaultValues.IsEmpty),
            new("fallback_strategy", RayDefaultValues.IsEmpty),
            new("object_store_memory"),
        ]);

        public static readonly ConfigKeyTable RequestRouter = new(static () => new RequestRouterOptions(), typeof(RequestRouterOptions), typeof(RequestRouterSpec), []);

        public static readonly ConfigKeyTable GangScheduling = new(static () => new GangSchedulingOptions(), typeof(GangSchedulingOptions), null, []);

        public static readonly ConfigKeyTable AutoscalingPolicy = new(static () => new AutoscalingPolicySpec { PolicyClass = "" }, typeof(AutoscalingPolicySpec), null, []);

        public static readonly ConfigKeyTable Canary = new(static () => new CanarySpec(), typeof(CanarySpec), null, []);

        public static readonly ConfigKeyTable Shadow = new(static () => new ShadowSpec { Percent = 0 }, typeof(ShadowSpec), null, []);

        public static readonly ConfigKeyTable Autoscaling = new(static () => new AutoscalingOptions(), typeof(AutoscalingOptions), typeof(AutoscalingSpec),
        [
            new("smoothing_factor"),
            new("upscale_smoothing_factor"),
            new("downscale_smoothing_factor"),
        ]);

        public static readonly ConfigKeyTable Deployment = new(static () => new DeploymentOptions(), typeof(DeploymentOptions), typeof(DeploymentSpec),
        [
            new("placement_group_bundles", RayDefaultValues.IsEmpty),
            new("placement_group_strategy", RayDefaultValues.IsText("PACK")),
            new("placement_group_bundle_label_selector", RayDefaultValues.IsEmpty),
            new("placement_group_fallback_strategy", RayDefaultValues.IsEmpty),
            new("max_replicas_per_node"),
            new("logging_config", RayDefaultValues.IsDefaultLogging),
            new("deployment_actors", RayDefaultValues.IsEmpty),
        ]);

        public static readonly ConfigKeyTable Application = new(static () => new ApplicationConfig { ImportPath = "" }, typeof(ApplicationConfig), null,
        [
            new("runtime_env", RayDefaultValues.IsEmpty),
            new("logging_config", RayDefaultValues.IsDefaultLogging),
        ]);

        public static readonly ConfigKeyTable Http = new(static () => new HttpOptions(), typeof(HttpOptions), null,
        [
            new("ssl_keyfile"),
            new("ssl_certfile"),
            new("ssl_keyfile_password"),
            new("ssl_ca_certs"),
        ]);

        public static readonly ConfigKeyTable Serve = new(static () => new ServeConfig { Applications = [] }, typeof(ServeConfig), null,
        [
            // Every node has a gateway; where Ray would place its proxies has no effect.
            new("proxy_location", static _ => true),
            new("grpc_options", static node => node is JsonObject options && (options["grpc_servicer_functions"] is not { } functions || RayDefaultValues.IsEmpty(functions))),
            new("logging_config", RayDefaultValues.IsDefaultLogging),
            new("tracing_config", RayDefaultValues.IsEmpty),
        ]);
    }
}
