using System.Globalization;
using System.Text.Json.Nodes;
using Serve.Specs.Binding;

namespace Serve.Specs;

/// <summary>Reads config files and REST bodies, Ray Serve's schema. Every error is found and told with its path, not only the first.</summary>
public static class ServeConfigReader
{
    /// <summary>Reads a whole config file.</summary>
    /// <param name="node">The file as JSON.</param>
    /// <returns>The config.</returns>
    /// <exception cref="DefinitionException">Unknown keys (each with the nearest known one), wrong types, values out of range, names and route prefixes used twice.</exception>
    public static ServeConfig Read(JsonNode? node)
    {
        var errors = new ConfigErrorCollector();
        DuplicateKeyDetector.FindDuplicates(node, "", errors);
        errors.ThrowIfAny();
        var config = ServeConfigKeys.Table.Read(node, "", errors);
        CheckUnique(config.Applications, application => application.Name, "applications", "name", errors);
        CheckUnique(config.Applications, application => application.RoutePrefix is ApplicationConfig.NoRoute ? null : application.RoutePrefix, "applications", "route_prefix", errors);
        for (var i = 0; i < config.Applications.Count; i++)
            CheckUnique(config.Applications[i].Deployments, deployment => deployment.Name, string.Create(CultureInfo.InvariantCulture, $"applications[{i}].deployments"), "name", errors);
        errors.ThrowIfAny();
        return config;
    }

    /// <summary>Reads one application: an entry of <c>applications</c>.</summary>
    /// <param name="node">The application as JSON.</param>
    /// <param name="name">The name it must have, and has when it states none; null when it names itself.</param>
    /// <returns>The application.</returns>
    /// <exception cref="DefinitionException">As for <see cref="Read"/>.</exception>
    public static ApplicationConfig ReadApplication(JsonNode? node, string? name = null)
    {
        var errors = new ConfigErrorCollector();
        DuplicateKeyDetector.FindDuplicates(node, "", errors);
        errors.ThrowIfAny();
        var application = ApplicationConfigKeys.Table.Read(node, "", errors);
        CheckUnique(application.Deployments, deployment => deployment.Name, "deployments", "name", errors);
        if (name is not null && node is JsonObject json)
        {
            if (json["name"] is null)
                application = application with { Name = name };
            else if (application.Name != name)
                errors.Add("name", $"'{application.Name}' is not '{name}', under which it was sent");
            if (NameRules.NameProblem(name) is { } problem)
                errors.Add("name", problem);
        }

        errors.ThrowIfAny();
        return application;
    }

    private static void CheckUnique<T>(IReadOnlyList<T> items, Func<T, string?> value, string path, string key, ConfigErrorCollector errors)
    {
        Dictionary<string, int> first = [];
        for (var i = 0; i < items.Count; i++)
        {
            if (value(items[i]) is { } text && !first.TryAdd(text, i))
                errors.Add(string.Create(CultureInfo.InvariantCulture, $"{path}[{i}].{key}"), $"'{text}' is taken by {path}[{first[text].ToString(CultureInfo.InvariantCulture)}]");
        }
    }
}
