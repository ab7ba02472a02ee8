using System.Text.Json.Nodes;

namespace Serve.Specs.Binding;

/// <summary>One key of a settings object: how it reaches a property of <typeparamref name="TOptions"/> and back.</summary>
internal abstract class ConfigKey<TOptions>(string name, string? alias = null)
{
    public string Name { get; } = name;

    /// <summary>Ray's name, where ours is plainer.</summary>
    public string? Alias { get; } = alias;

    /// <summary>What the key is for, when leaving it out is an error.</summary>
    public virtual string? Required => null;

    public abstract TOptions Read(TOptions options, JsonNode? node, string path, ConfigErrorCollector errors);

    public virtual void Check(TOptions options, string path, ConfigErrorCollector errors)
    {
    }

    public virtual TOptions Merge(TOptions under, TOptions over) => under;

    public virtual void Write(TOptions options, JsonObject json)
    {
    }
}
