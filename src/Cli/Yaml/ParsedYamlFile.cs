using System.Text.Json.Nodes;

namespace Serve.Cli.Yaml;

/// <summary>Content of a YAML file as JSON, with line numbers.</summary>
/// <param name="Path">Name of the file.</param>
/// <param name="Root">Content of the file.</param>
/// <param name="Lines">Line numbers by path, such as <c>applications[0].name</c>.</param>
internal sealed record ParsedYamlFile(string Path, JsonNode? Root, IReadOnlyDictionary<string, int> Lines)
{
    /// <summary>Prepends file and line to errors that start with a path into the content.</summary>
    /// <param name="errors">Errors of <see cref="Specs.ServeConfigReader"/>.</param>
    public IReadOnlyList<string> Locate(IReadOnlyList<string> errors) => [.. errors.Select(Locate)];

    private string Locate(string error)
    {
        // "applications[0].nmae: …": uses the line of the longest known part of the path.
        var path = error[..Math.Max(0, error.AsSpan().IndexOfAny(' ', ':'))];
        while (path.Length > 0)
        {
            if (Lines.TryGetValue(path, out var line))
                return $"{Path}({line}): {error}";
            path = path[..Math.Max(0, path.LastIndexOfAny(['.', '[']))];
        }

        return $"{Path}: {error}";
    }
}
