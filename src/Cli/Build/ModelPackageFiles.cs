using Serve.Specs;

namespace Serve.Cli.Build;

/// <summary>Which files a model is made of.</summary>
internal static class ModelPackageFiles
{
    /// <summary>The version of a model that is one file.</summary>
    private const string OnlyVersion = "1";

    /// <summary>The files of a package of the model.</summary>
    /// <param name="location">An ONNX file, or a folder of versions.</param>
    /// <returns>Names within the package, as <see cref="ModelVersionFiles"/> has them, and where each lies.</returns>
    public static IEnumerable<(string Name, string Path)> Files(string location) => File.Exists(location)
        ? FilesOf(location, OnlyVersion)
        : ModelVersionFiles.Find(location).SelectMany(found => FilesOf(found.File, Path.GetFileName(Path.GetDirectoryName(found.File))!));

    private static IEnumerable<(string Name, string Path)> FilesOf(string model, string version)
    {
        yield return ($"{version}/{ModelVersionFiles.FileName}", model);
        var folder = Path.GetDirectoryName(model)!;
        foreach (var path in OnnxExternalDataFinder.FindLocations(model).Select(name => Path.GetFullPath(name, folder)).Distinct())
        {
            // One that is missing, or not below the model, is left to ONNX Runtime, which says so.
            if (path.StartsWith(folder + Path.DirectorySeparatorChar, StringComparison.Ordinal) && File.Exists(path))
                yield return ($"{version}/{Path.GetRelativePath(folder, path).Replace('\\', '/')}", path);
        }
    }
}
