using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Serve.Replica.Activation;

/// <summary>Reads what a config file says about a user's own types. Config files are written in snake_case, JSON bodies in camelCase: both are taken.</summary>
internal static class UserJsonReader
{
    /// <summary>Reads a value.</summary>
    /// <param name="json">The value.</param>
    /// <param name="type">What to read it as.</param>
    /// <param name="strict">Whether a key that the type has not is an error: a typo that is silently ignored is the worst kind.</param>
    public static object? Read(JsonNode? json, Type type, bool strict = false) =>
        json.Deserialize(type, OptionsFor(json, strict));

    /// <summary>The keys that a type has, as a config file writes them; null for a type that takes any, or is no object.</summary>
    public static IReadOnlyList<string>? KeysOf(Type type)
    {
        var info = OptionsFor(null, strict: true, JsonNamingPolicy.SnakeCaseLower).GetTypeInfo(type);
        return info.Kind == JsonTypeInfoKind.Object && !info.Properties.Any(static property => property.IsExtensionData)
            ? [.. info.Properties.Where(static property => property.Set is not null || property.AssociatedParameter is not null).Select(static property => property.Name)]
            : null;
    }

    /// <summary>The value of a key, whose words may be joined in any of the usual ways.</summary>
    public static bool TryFind(JsonObject? json, string name, out JsonNode? value)
    {
        foreach (var (key, found) in json ?? [])
        {
            if (Same(key, name))
            {
                value = found;
                return true;
            }
        }

        value = null;
        return false;
    }

    /// <summary>Whether two names have the same words, joined in whatever way.</summary>
    public static bool Same(string one, string other) => Joined(one).Equals(Joined(other), StringComparison.OrdinalIgnoreCase);

    /// <summary>That a key is none of those there are, and which was meant.</summary>
    /// <param name="whole">What has no such key.</param>
    /// <param name="written">The key.</param>
    /// <param name="known">Those there are.</param>
    public static string NoKey(string whole, string written, IReadOnlyCollection<string> known) =>
        $"{whole} has no key '{written}'. {(NearestNameFinder.Find(written, known) is { } nearest ? $"Did you mean '{nearest}'? " : "")}It has {string.Join(", ", known)}.";

#pragma warning disable CA1869 // Cached type information would keep the user's assembly from unloading, and this runs once a start.
    private static JsonSerializerOptions OptionsFor(JsonNode? json, bool strict, JsonNamingPolicy? naming = null) => new(ServeJson.Calls)
    {
        PropertyNamingPolicy = naming ?? (HasSnakeCase(json) ? JsonNamingPolicy.SnakeCaseLower : JsonNamingPolicy.CamelCase),
        UnmappedMemberHandling = strict ? JsonUnmappedMemberHandling.Disallow : JsonUnmappedMemberHandling.Skip,
        Converters = { new JsonStringEnumConverter() },
    };
#pragma warning restore CA1869

    private static string Joined(string name) => name.Replace("_", "", StringComparison.Ordinal).Replace("-", "", StringComparison.Ordinal);

    private static bool HasSnakeCase(JsonNode? json) => json switch
    {
        JsonObject found => found.Any(entry => entry.Key.Contains('_', StringComparison.Ordinal) || HasSnakeCase(entry.Value)),
        JsonArray found => found.Any(HasSnakeCase),
        _ => false,
    };
}
