using System.Text.RegularExpressions;
using Serve.Specs;

namespace Serve.Cli.Build;

/// <summary>An import path, read: what kind of code it names, where that is, and which class is the ingress.</summary>
/// <param name="Kind">What it names.</param>
/// <param name="Location">The absolute path, or the hash of a <see cref="ImportPathKind.Package"/>.</param>
/// <param name="TypeName">The ingress class after <c>:</c>; null to have it found.</param>
internal sealed partial record ImportPath(ImportPathKind Kind, string Location, string? TypeName)
{
    private const string PackagePrefix = "package:";

    /// <summary>The name an application takes from it when it is given none.</summary>
    public string DefaultName => Kind switch
    {
        ImportPathKind.Package => "default",
        // A folder's name has no extension, whatever dots are in it.
        ImportPathKind.Model when !File.Exists(Location) => Path.GetFileName(Location),
        _ => Path.GetFileNameWithoutExtension(Location),
    };

    /// <summary>Reads an import path and finds what it names.</summary>
    /// <param name="text">As written.</param>
    /// <param name="folders">Where relative paths are looked for, in order. The working directory when none are given.</param>
    /// <returns>The path, absolute.</returns>
    /// <exception cref="DefinitionException">It names nothing that can be deployed.</exception>
    public static ImportPath Resolve(string text, params ReadOnlySpan<string> folders)
    {
        if (text.StartsWith(PackagePrefix, StringComparison.Ordinal))
        {
            var parts = text[PackagePrefix.Length..].Split(':', 2);
            return Hash().IsMatch(parts[0])
                ? new(ImportPathKind.Package, parts[0], parts.ElementAtOrDefault(1))
                : throw new DefinitionException($"import_path '{text}': expected package:HASH with the 64 hex digits that the upload returned.");
        }

        var match = WithType().Match(text);
        var (path, type) = match.Success ? (match.Groups["path"].Value, match.Groups["type"].Value) : (text, null);
        var found = Find(path, folders) ?? throw new DefinitionException(
            $"import_path '{text}': there is no such file or folder{(Path.IsPathRooted(path) ? "" : $" in {Directory.GetCurrentDirectory()}")}.");
        if (Directory.Exists(found) && ModelVersionFiles.Find(found).Count > 0)
            return new(ImportPathKind.Model, Path.TrimEndingDirectorySeparator(found), null);
        if (Directory.Exists(found))
            return new(ImportPathKind.Project, ProjectIn(found), type);
        return Path.GetExtension(found).ToLowerInvariant() switch
        {
            ".cs" => new(ImportPathKind.SourceFile, found, type),
            ".csproj" or ".fsproj" or ".vbproj" => new(ImportPathKind.Project, found, type),
            ".dll" => new(ImportPathKind.Assembly, found, type),
            ".zip" => new(ImportPathKind.Archive, found, type),
            ModelVersionFiles.Extension => new(ImportPathKind.Model, found, null),
            _ => throw new DefinitionException($"import_path '{text}': expected a .cs file, a project or its folder, an assembly (.dll), an ONNX model (.onnx) or a folder of its versions, a package (.zip) or package:HASH."),
        };
    }

    /// <inheritdoc/>
    public override string ToString()
    {
        var location = Kind is ImportPathKind.Package ? PackagePrefix + Location : Location;
        return TypeName is null ? location : $"{location}:{TypeName}";
    }

    private static string? Find(string path, ReadOnlySpan<string> folders)
    {
        foreach (var folder in folders.IsEmpty ? [Directory.GetCurrentDirectory()] : folders)
        {
            var candidate = Path.GetFullPath(path, Path.GetFullPath(folder));
            if (Path.Exists(candidate))
                return candidate;
        }

        return null;
    }

    private static string ProjectIn(string folder)
    {
        var projects = Directory.GetFiles(folder, "*.*proj");
        return projects switch
        {
            [var only] => only,
            [] => throw new DefinitionException($"import_path '{folder}': the folder has no project, and no model in VERSION/{ModelVersionFiles.FileName}. Name a .cs file, a project, a .dll or an .onnx file."),
            _ => throw new DefinitionException(
                $"import_path '{folder}': the folder has {projects.Length} projects; name one: {string.Join(", ", projects.Select(Path.GetFileName).Order(StringComparer.Ordinal))}."),
        };
    }

    // The extension before the colon tells a type name from a Windows drive letter.
    [GeneratedRegex(@"^(?<path>.+\.(cs|csproj|fsproj|vbproj|dll|zip)):(?<type>[\p{L}_][\p{L}\p{Nd}_.+]*)$", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex WithType();

    [GeneratedRegex("^[0-9a-f]{64}$", RegexOptions.CultureInvariant)]
    private static partial Regex Hash();
}
