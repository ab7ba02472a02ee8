using System.Text.Json.Nodes;

namespace Serve.Specs.Binding;

/// <summary>An object that a table of its own describes; two sources merge key by key.</summary>
internal sealed class TableRule<T>(KeyTable<T> table) : ValueRule<T>
    where T : class
{
    public override bool TryRead(JsonNode? node, string path, ErrorList errors, out T value)
    {
        value = table.Read(node, path, errors);
        return true;
    }

    public override void Check(T value, string path, ErrorList errors) => table.Check(value, path, errors);

    public override T Merge(T under, T over) => table.Merge(under, over);

    public override JsonNode? Write(T value) => table.Write(value);
}
