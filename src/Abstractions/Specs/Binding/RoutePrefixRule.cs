using System.Text.Json.Nodes;

namespace Serve.Specs.Binding;

/// <summary>A route prefix, or null for an application without HTTP.</summary>
internal sealed class RoutePrefixRule() : ConstrainedTextRule(NameRules.RoutePrefixProblem)
{
    public override bool AcceptsNull => true;

    public override bool TryRead(JsonNode? node, string path, ConfigErrorCollector errors, out string value)
    {
        value = ApplicationConfig.NoRoute;
        return node is null || base.TryRead(node, path, errors, out value);
    }

    public override JsonNode? Write(string value) => value == ApplicationConfig.NoRoute ? null : base.Write(value);
}
