using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Serve.Replica.Activation;

/// <summary>Reads values of user-defined types from config files. Accepts snake_case, as in config files, and camelCase, as in JSON bodies.</summary>
internal static class UserJsonReader
{
    /// <summary>Reads a value.</summary>
    /// <param name="json">The value.</param>
    /// <param name="type">Target type.</param>
    /// <param name="strict">Whether unknown keys are errors.</param>
    public static object? Read(JsonNode? json, Type type, bool strict = false) =>
        json.Deserialize(type, OptionsFor(json, strict));

    /// <summary>Returns the keys of a type in snake_case; null for a type that accepts any key, or is not an object.</summary>
    public static IReadOnlyList<string>? KeysOf(Type type)
    {
        var info = OptionsFor(null, strict: true, JsonNamingPolicy.SnakeCaseLower).GetTypeInfo(type);
        return info.Kind == JsonTypeInfoKind.Object && !info.Properties.Any(static property => property.IsExtensionData)
            ? [.. info.Properties.Where(static property => property.Set is not null || property.AssociatedParameter is not null).Select(static property => property.Name)]
            : null;
    }

    /// <summary>Finds the value of a key, in any of the usual casings.</summary>
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

    /// <summary>Returns whether two names differ in their casing only.</summary>
    public static bool Same(string one, string other) => Joined(one).Equals(Joined(other), StringComparison.OrdinalIgnoreCase);

    /// <summary>Creates the error message for an unknown key.</summary>
    /// <param name="whole">Path of the object.</param>
    /// <param name="written">The unknown key.</param>
    /// <param name="known">Known keys.</param>
    public static string NoKey(string whole, string written, IReadOnlyCollection<string> known) =>
        $"{whole} has an unknown key '{written}'. {(NearestNameFinder.Find(written, known) is { } nearest ? $"Did you mean '{nearest}'? " : "")}Known keys are {string.Join(", ", known)}.";

#pragma warning disable CA1869 // Cached type information would prevent the user's assembly from unloading, and this runs once per start.
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
