using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Serve.Specs;

namespace Serve.Control.Desired;

/// <summary>Creates deployment revisions and hashes their settings by <see cref="UpdateImpactAttribute"/>, so that a rollout follows from a comparison of hashes.</summary>
public static class DeploymentRevisionFactory
{
    private static readonly PropertyInfo[] RestartProperties = PropertiesOf(UpdateImpact.Restart);
    private static readonly PropertyInfo[] ReconfigureProperties = PropertiesOf(UpdateImpact.Reconfigure);

    /// <summary>Creates a deployment's revision from its settings and code.</summary>
    public static DeploymentRevision Create(
        DeploymentSpec spec, DeploymentDefinition definition, string packageHash, JsonObject? args, IsolationMode isolation)
    {
        var code = new JsonObject
        {
            ["package"] = packageHash,
            ["type"] = definition.TypeName,
            ["args"] = args?.DeepClone(),
            ["isolation"] = isolation.ToString(),
            ["dependencies"] = new JsonArray([.. definition.Dependencies.Order(StringComparer.Ordinal).Select(name => (JsonNode)name)]),
        };
        return new()
        {
            Spec = spec,
            TypeName = definition.TypeName,
            Version = Hash(code, RestartProperties, spec),
            Settings = Hash([], ReconfigureProperties, spec),
        };
    }

    private static PropertyInfo[] PropertiesOf(UpdateImpact impact) =>
        [.. typeof(DeploymentSpec).GetProperties()
            .Where(property => property.GetCustomAttribute<UpdateImpactAttribute>()?.Impact == impact)
            .OrderBy(property => property.Name, StringComparer.Ordinal)];

    private static string Hash(JsonObject document, PropertyInfo[] properties, DeploymentSpec spec)
    {
        foreach (var property in properties)
            document[property.Name] = JsonSerializer.SerializeToNode(property.GetValue(spec), property.PropertyType, ServeJson.Options);
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Sorted(document)!.ToJsonString())))[..16];
    }

    // The order of keys in a file has no meaning.
    private static JsonNode? Sorted(JsonNode? node) => node switch
    {
        JsonObject map => new JsonObject(map.OrderBy(pair => pair.Key, StringComparer.Ordinal)
            .Select(pair => KeyValuePair.Create(pair.Key, Sorted(pair.Value)))),
        JsonArray list => new JsonArray([.. list.Select(Sorted)]),
        _ => node?.DeepClone(),
    };
}
