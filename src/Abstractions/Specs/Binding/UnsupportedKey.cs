using System.Text.Json.Nodes;

namespace Serve.Specs.Binding;

/// <summary>A key of Ray's schema that is not supported yet. Files that leave it at its default load all the same.</summary>
/// <param name="name">The key.</param>
/// <param name="isDefault">Whether a value, not null, says nothing beyond the default.</param>
internal sealed class UnsupportedKey<TOptions>(string name, Func<JsonNode, bool>? isDefault = null) : ConfigKey<TOptions>(name)
{
    public override TOptions Read(TOptions options, JsonNode? node, string path, ConfigErrorCollector errors)
    {
        if (node is not null && isDefault?.Invoke(node) != true)
            errors.Add(path, $"'{Name}' is not supported yet; leave it out");
        return options;
    }
}
