using System.Text.Json.Nodes;

namespace Serve.Specs.Binding;

/// <summary>A key that sets a property.</summary>
internal sealed class ConfigValueKey<TOptions, T>(
    string name, ConfigValueRule<T> rule, Func<TOptions, object?> get, Func<TOptions, T, TOptions> set, string? alias = null, string? required = null)
    : ConfigKey<TOptions>(name, alias)
    where T : notnull
{
    public override string? Required => required;

    public override TOptions Read(TOptions options, JsonNode? node, string path, ConfigErrorCollector errors)
    {
        // As in Ray's schema, null means that the key is left out.
        if (node is null && !rule.AcceptsNull && required is null)
            return options;
        return rule.TryRead(node, path, errors, out var value) ? set(options, value) : options;
    }

    public override void Check(TOptions options, string path, ConfigErrorCollector errors)
    {
        if (get(options) is T value)
            rule.Check(value, path, errors);
    }

    public override TOptions Merge(TOptions under, TOptions over) =>
        get(over) is T above ? set(under, get(under) is T below ? rule.Merge(below, above) : above) : under;

    public override void Write(TOptions options, JsonObject json)
    {
        if (get(options) is T value)
            json[Name] = rule.Write(value);
    }
}
