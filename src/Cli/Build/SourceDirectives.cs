using System.Collections.Immutable;

namespace Serve.Cli.Build;

/// <summary>The <c>#:</c> lines at the top of a C# file, as .NET's file-based programs have them.</summary>
internal sealed record SourceDirectives
{
    /// <summary>From <c>#:sdk Name[@Version]</c>, in order.</summary>
    public ImmutableArray<(string Name, string? Version)> Sdks { get; init; } = [];

    /// <summary>From <c>#:package Name@Version</c>.</summary>
    public ImmutableArray<(string Name, string? Version)> Packages { get; init; } = [];

    /// <summary>From <c>#:property Name=Value</c>.</summary>
    public ImmutableArray<(string Name, string Value)> Properties { get; init; } = [];

    /// <summary>From <c>#:project PATH</c>, absolute.</summary>
    public ImmutableArray<string> Projects { get; init; } = [];

    /// <summary>Reads the directives of a file.</summary>
    /// <param name="path">The file, absolute; relative projects are looked for beside it.</param>
    /// <param name="text">Its text.</param>
    /// <returns>What it asks for.</returns>
    /// <exception cref="DefinitionException">A directive is malformed or unknown; all are listed.</exception>
    public static SourceDirectives Read(string path, string text)
    {
        var found = new SourceDirectives();
        List<string> errors = [];
        var number = 0;
        foreach (var raw in text.AsSpan().EnumerateLines())
        {
            number++;
            var line = raw.Trim().ToString();
            if (line.StartsWith("#:", StringComparison.Ordinal))
                found = found.With(path, number, line[2..].Trim(), errors);
            else if (line.Length > 0 && !line.StartsWith("#!", StringComparison.Ordinal) && !line.StartsWith("//", StringComparison.Ordinal))
                break; // The compiler itself refuses directives after code.
        }

        return errors.Count == 0 ? found : throw new DefinitionException(errors);
    }

    private SourceDirectives With(string path, int line, string directive, List<string> errors)
    {
        var kind = directive.Split((char[]?)null, 2)[0];
        var value = directive[kind.Length..].Trim();
        switch (kind)
        {
            case "sdk" when value.Length > 0:
                return this with { Sdks = Sdks.Add(Versioned(value)) };
            case "package" when value.Length > 0:
                return this with { Packages = Packages.Add(Versioned(value)) };
            case "property" when value.IndexOf('=', StringComparison.Ordinal) is > 0 and var at:
                return this with { Properties = Properties.Add((value[..at].Trim(), value[(at + 1)..].Trim())) };
            case "project" when value.Length > 0:
                return this with { Projects = Projects.Add(ImportPath.Resolve(value, Path.GetDirectoryName(path)!).Location) };
            default:
                errors.Add($"{path}({line},1): error: '#:{directive}' is not understood. Known: #:package Name@Version, #:property Name=Value, #:project PATH, #:sdk Name.");
                return this;
        }
    }

    private static (string Name, string? Version) Versioned(string value)
    {
        var parts = value.Split('@', 2, StringSplitOptions.TrimEntries);
        return (parts[0], parts.ElementAtOrDefault(1));
    }
}
