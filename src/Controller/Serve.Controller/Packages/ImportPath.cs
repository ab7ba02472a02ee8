using System.Text.RegularExpressions;
using Serve.Specs;

namespace Serve.Controller.Packages;

/// <summary>Kind of code or model that an import path names.</summary>
public enum ImportPathKind
{
    /// <summary>A C# file: a file-based program, with <c>#:</c> directives.</summary>
    SourceFile,

    /// <summary>A project file.</summary>
    Project,

    /// <summary>A built assembly with its dependencies in the same folder.</summary>
    Assembly,

    /// <summary>A package that is stored in the state directory, by its hash.</summary>
    Package,

    /// <summary>A zip file written by <c>serve build</c>.</summary>
    Archive,

    /// <summary>An ONNX file, or a folder with the versions of a model.</summary>
    Model,
}

/// <summary>A resolved import path.</summary>
/// <param name="Kind">Kind of code or model.</param>
/// <param name="Location">Absolute path, or the hash of a <see cref="ImportPathKind.Package"/>.</param>
/// <param name="TypeName">Ingress class, written after <c>:</c>; null to infer it.</param>
public sealed partial record ImportPath(ImportPathKind Kind, string Location, string? TypeName)
{
    private const string PackagePrefix = "package:";

    /// <summary>Application name to use when none is specified.</summary>
    public string DefaultName => Kind switch
    {
        ImportPathKind.Package => "default",
        // A dot in a folder's name does not start an extension.
        ImportPathKind.Model when !File.Exists(Location) => Path.GetFileName(Location),
        _ => Path.GetFileNameWithoutExtension(Location),
    };

    /// <summary>Parses an import path and locates the file, folder or package that it names.</summary>
    /// <param name="text">The import path as written.</param>
    /// <param name="folders">Folders that relative paths are resolved against, in order. Default: the working directory.</param>
    /// <exception cref="DefinitionException">The path does not exist or is not deployable.</exception>
    public static ImportPath Resolve(string text, params ReadOnlySpan<string> folders)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (text.StartsWith(PackagePrefix, StringComparison.Ordinal))
            return TryParsePackage(text) ?? throw new DefinitionException($"import_path '{text}' must be package:HASH with the 64 hex digits that the upload returned.");

        var match = WithType().Match(text);
        var (path, type) = match.Success ? (match.Groups["path"].Value, match.Groups["type"].Value) : (text, null);
        var found = Find(path, folders) ?? throw new DefinitionException(
            $"import_path '{text}': file or folder not found{(Path.IsPathRooted(path) ? "" : $" in {Directory.GetCurrentDirectory()}")}.");
        if (Directory.Exists(found) && ModelVersionFiles.Find(found).Count > 0)
            return new(ImportPathKind.Model, Path.TrimEndingDirectorySeparator(found), null);
        if (Directory.Exists(found))
            return new(ImportPathKind.Project, FindProject(found), type);
        return Path.GetExtension(found).ToLowerInvariant() switch
        {
            ".cs" => new(ImportPathKind.SourceFile, found, type),
            ".csproj" or ".fsproj" or ".vbproj" => new(ImportPathKind.Project, found, type),
            ".dll" => new(ImportPathKind.Assembly, found, type),
            ".zip" => new(ImportPathKind.Archive, found, type),
            ModelVersionFiles.Extension => new(ImportPathKind.Model, found, null),
            _ => throw new DefinitionException($"import_path '{text}' must be a .cs file, a project or its folder, an assembly (.dll), an ONNX model (.onnx) or a folder of its versions, a package (.zip) or package:HASH."),
        };
    }

    /// <summary>Parses <c>package:HASH[:TYPE]</c>; null if the text is not of this form.</summary>
    /// <param name="text">The import path.</param>
    public static ImportPath? TryParsePackage(string text)
    {
        if (!text.StartsWith(PackagePrefix, StringComparison.Ordinal))
            return null;
        var parts = text[PackagePrefix.Length..].Split(':', 2);
        return Hash().IsMatch(parts[0]) ? new(ImportPathKind.Package, parts[0], parts.ElementAtOrDefault(1)) : null;
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

    private static string FindProject(string folder)
    {
        var projects = Directory.GetFiles(folder, "*.*proj");
        return projects switch
        {
            [var only] => only,
            [] => throw new DefinitionException($"import_path '{folder}': the folder contains no project and no model (VERSION/{ModelVersionFiles.FileName}). Name a .cs file, a project, a .dll or an .onnx file."),
            _ => throw new DefinitionException(
                $"import_path '{folder}': the folder contains {projects.Length} projects. Name one of {string.Join(", ", projects.Select(Path.GetFileName).Order(StringComparer.Ordinal))}."),
        };
    }

    // The extension in front of the colon distinguishes a type name from a Windows drive letter.
    [GeneratedRegex(@"^(?<path>.+\.(cs|csproj|fsproj|vbproj|dll|zip)):(?<type>[\p{L}_][\p{L}\p{Nd}_.+]*)$", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex WithType();

    [GeneratedRegex("^[0-9a-f]{64}$", RegexOptions.CultureInvariant)]
    private static partial Regex Hash();
}
