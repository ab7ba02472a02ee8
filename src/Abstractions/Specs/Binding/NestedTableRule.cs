using System.Text.Json.Nodes;

namespace Serve.Specs.Binding;

/// <summary>An object that a table of its own describes; two sources merge key by key.</summary>
internal sealed class NestedTableRule<T>(ConfigKeyTable<T> table) : ConfigValueRule<T>
    where T : class
{
    public override bool TryRead(JsonNode? node, string path, ConfigErrorCollector errors, out T value)
    {
        value = table.Read(node, path, errors);
        return true;
    }

    public override void Check(T value, string path, ConfigErrorCollector errors) => table.Check(value, path, errors);

    public override T Merge(T under, T over) => table.Merge(under, over);

    public override JsonNode? Write(T value) => table.Write(value);
}
