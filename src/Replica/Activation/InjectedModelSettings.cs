using System.Collections.Immutable;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Serve.Replica.Activation;

/// <summary>Settings of a model that is injected as a constructor parameter: <c>model_path</c>, or <c>model</c> with a path and options, for a parameter <c>model</c>; in args or user_config.</summary>
/// <param name="Path">The model file.</param>
/// <param name="Options">Options of the model.</param>
internal sealed record InjectedModelSettings(string Path, OnnxOptions Options)
{
    private const string PathKey = "path";

    private static readonly ImmutableArray<string> OptionKeys =
        [.. typeof(OnnxOptionsConfig).GetProperties().Select(property => JsonNamingPolicy.SnakeCaseLower.ConvertName(property.Name))];

    /// <summary>Returns whether a parameter is a model.</summary>
    public static bool IsModel(ParameterInfo parameter) => parameter.ParameterType == typeof(OnnxModel);

    /// <summary>Returns the configuration keys of a parameter's model.</summary>
    public static IReadOnlyList<string> KeysOf(ParameterInfo parameter)
    {
        var name = JsonNamingPolicy.SnakeCaseLower.ConvertName(parameter.Name!);
        return [$"{name}_path", name];
    }

    /// <summary>Reads the settings of a parameter's model.</summary>
    /// <param name="parameter">The parameter.</param>
    /// <param name="args">Args of the application, which take precedence.</param>
    /// <param name="userConfig">The deployment's user_config.</param>
    /// <param name="errors">Receives errors.</param>
    /// <returns>Null if there are no settings, or invalid ones.</returns>
    public static InjectedModelSettings? Read(ParameterInfo parameter, JsonObject? args, JsonObject? userConfig, List<string> errors)
    {
        foreach (var (place, json) in (ReadOnlySpan<(string, JsonObject?)>)[("args", args), ("user_config", userConfig)])
        {
            var keys = KeysOf(parameter);
            var hasPath = UserJsonReader.TryFind(json, keys[0], out var path);
            if (UserJsonReader.TryFind(json, keys[1], out var model))
            {
                if (!hasPath)
                    return Read($"{place}: {keys[1]}", model, errors);
                errors.Add($"{place} must not contain both {keys[0]} and {keys[1]}. Use {keys[1]}: {{ path: … }} with options, or {keys[0]} without.");
                return null;
            }

            if (hasPath)
                return OfPath($"{place}: {keys[0]}", path, errors);
        }

        return null;
    }

    private static InjectedModelSettings? OfPath(string place, JsonNode? path, List<string> errors)
    {
        if (path is JsonValue value && value.TryGetValue<string>(out var text) && text.Length > 0)
            return new(text, new OnnxOptions());
        errors.Add($"{place} must be the path of a model file, but was {path?.ToJsonString() ?? "null"}.");
        return null;
    }

    private static InjectedModelSettings? Read(string place, JsonNode? json, List<string> errors)
    {
        if (json is not JsonObject settings)
            return OfPath(place, json, errors);
        var before = errors.Count;
        foreach (var (key, _) in settings)
        {
            if (key != PathKey && !OptionKeys.Contains(key))
                errors.Add($"{place} has an unknown key '{key}'{(NearestNameFinder.Find(key, OptionKeys.Append(PathKey)) is { } near ? $" (did you mean '{near}'?)" : "")}. Known keys are {PathKey}, {string.Join(", ", OptionKeys)}.");
        }

        var path = OfPath($"{place}.{PathKey}", settings[PathKey], errors);
        if (path is null || errors.Count > before)
            return null;
        try
        {
            var options = new JsonObject(settings.Where(entry => entry.Key != PathKey).Select(entry => KeyValuePair.Create(entry.Key, entry.Value?.DeepClone())));
            return path with { Options = options.Deserialize<OnnxOptionsConfig>(SnakeCase)!.ToOptions() };
        }
        catch (JsonException wrong)
        {
            errors.Add($"{place} cannot be read: {wrong.Message}");
            return null;
        }
    }

    private static JsonSerializerOptions SnakeCase { get; } = new(JsonSerializerDefaults.General) { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };
}
