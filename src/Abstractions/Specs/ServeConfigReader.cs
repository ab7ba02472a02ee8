using System.Globalization;
using System.Text.Json.Nodes;
using Serve.Specs.Binding;

namespace Serve.Specs;

/// <summary>Reads config files and REST bodies in Ray Serve's schema. Reports all errors with their paths, not only the first.</summary>
public static class ServeConfigReader
{
    /// <summary>Reads a complete configuration.</summary>
    /// <param name="node">The file as JSON.</param>
    /// <exception cref="DefinitionException">Unknown keys (each with the most similar known one), wrong types, values out of range, duplicate names and route prefixes.</exception>
    public static ServeConfig Read(JsonNode? node)
    {
        var errors = new ConfigErrorCollector();
        errors.AddDuplicateKeys(node);
        errors.ThrowIfAny();
        var config = (ServeConfig)ConfigKeyTable.Serve.Read(node, "", errors);
        CheckUnique(config.Applications, application => application.Name, "applications", "name", errors);
        CheckUnique(config.Applications, application => application.RoutePrefix is ApplicationConfig.NoRoute ? null : application.RoutePrefix, "applications", "route_prefix", errors);
        for (var i = 0; i < config.Applications.Count; i++)
            CheckUnique(config.Applications[i].Deployments, deployment => deployment.Name, string.Create(CultureInfo.InvariantCulture, $"applications[{i}].deployments"), "name", errors);
        errors.ThrowIfAny();
        return config;
    }

    /// <summary>Reads one application: an entry of <c>applications</c>.</summary>
    /// <param name="node">The application as JSON.</param>
    /// <param name="name">Required name, and the default if the application does not state one; null for any name.</param>
    /// <exception cref="DefinitionException">As for <see cref="Read"/>.</exception>
    public static ApplicationConfig ReadApplication(JsonNode? node, string? name = null)
    {
        var errors = new ConfigErrorCollector();
        errors.AddDuplicateKeys(node);
        errors.ThrowIfAny();
        var application = (ApplicationConfig)ConfigKeyTable.Application.Read(node, "", errors);
        CheckUnique(application.Deployments, deployment => deployment.Name, "deployments", "name", errors);
        if (name is not null && node is JsonObject json)
        {
            if (json["name"] is null)
                application = application with { Name = name };
            else if (application.Name != name)
                errors.Add("name", $"must be '{name}', the name in the request's path, but was '{application.Name}'");
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
                errors.Add(string.Create(CultureInfo.InvariantCulture, $"{path}[{i}].{key}"), $"'{text}' is already used by {path}[{first[text].ToString(CultureInfo.InvariantCulture)}]");
        }
    }
}

/// <summary>Writes config files and REST bodies that <see cref="ServeConfigReader"/> reads. Keys without a value are omitted.</summary>
public static class ServeConfigWriter
{
    /// <summary>Writes a complete configuration as JSON.</summary>
    /// <param name="config">The configuration.</param>
    public static JsonObject Write(ServeConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        return ConfigKeyTable.Serve.Write(config);
    }

    /// <summary>Writes one application, an entry of <c>applications</c>, as JSON.</summary>
    /// <param name="application">The application.</param>
    public static JsonObject Write(ApplicationConfig application)
    {
        ArgumentNullException.ThrowIfNull(application);
        return ConfigKeyTable.Application.Write(application);
    }
}
