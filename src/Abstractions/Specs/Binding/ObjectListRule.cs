using System.Globalization;
using System.Text.Json.Nodes;

namespace Serve.Specs.Binding;

/// <summary>A list of objects that one table describes.</summary>
internal sealed class ObjectListRule<T>(ConfigKeyTable<T> table) : ConfigValueRule<IReadOnlyList<T>>
    where T : class
{
    public override bool TryRead(JsonNode? node, string path, ConfigErrorCollector errors, out IReadOnlyList<T> value)
    {
        List<T> items = [];
        value = items;
        if (node is not JsonArray list)
        {
            errors.Add(path, $"expected a list, got {ConfigErrorCollector.Describe(node)}");
            return false;
        }

        // Wrong items are kept: their names still count when duplicates are looked for.
        for (var i = 0; i < list.Count; i++)
            items.Add(table.Read(list[i], string.Create(CultureInfo.InvariantCulture, $"{path}[{i}]"), errors));
        return true;
    }

    public override JsonNode? Write(IReadOnlyList<T> value) => new JsonArray([.. value.Select(item => (JsonNode?)table.Write(item))]);
}
