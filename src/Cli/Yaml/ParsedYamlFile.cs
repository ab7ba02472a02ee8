using System.Text.Json.Nodes;

namespace Serve.Cli.Yaml;

/// <summary>A YAML file as JSON, and where in the file each part of it stands.</summary>
/// <param name="Path">The file, as named.</param>
/// <param name="Root">Its content.</param>
/// <param name="Lines">Line numbers by path, written as <c>applications[0].name</c>.</param>
internal sealed record ParsedYamlFile(string Path, JsonNode? Root, IReadOnlyDictionary<string, int> Lines)
{
    /// <summary>Puts file and line before errors that begin with a path into the content.</summary>
    /// <param name="errors">As <see cref="Specs.ServeConfigReader"/> tells them.</param>
    /// <returns>The same errors, easier to find.</returns>
    public IReadOnlyList<string> Locate(IReadOnlyList<string> errors) => [.. errors.Select(Locate)];

    private string Locate(string error)
    {
        // "applications[0].nmae: …": the longest known part of the path has a line.
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
