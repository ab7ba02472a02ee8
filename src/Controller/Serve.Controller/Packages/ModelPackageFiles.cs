using Serve.Specs;

namespace Serve.Controller.Packages;

/// <summary>Lists the files of a model's package.</summary>
internal static class ModelPackageFiles
{
    /// <summary>Version of a model that consists of one file.</summary>
    private const string OnlyVersion = "1";

    /// <summary>Lists the files of the package of a model.</summary>
    /// <param name="location">An ONNX file, or a folder of versions.</param>
    /// <returns>Name within the package, in the layout of <see cref="ModelVersionFiles"/>, and path of each file.</returns>
    public static IEnumerable<(string Name, string Path)> Files(string location) => File.Exists(location)
        ? FilesOfVersion(location, OnlyVersion)
        : ModelVersionFiles.Find(location).SelectMany(found => FilesOfVersion(found.File, Path.GetFileName(Path.GetDirectoryName(found.File))!));

    private static IEnumerable<(string Name, string Path)> FilesOfVersion(string model, string version)
    {
        yield return ($"{version}/{ModelVersionFiles.FileName}", model);
        var folder = Path.GetDirectoryName(model)!;
        foreach (var path in OnnxExternalDataFinder.FindLocations(model).Select(name => Path.GetFullPath(name, folder)).Distinct())
        {
            // ONNX Runtime reports external data that is missing or outside of the model's folder.
            if (path.StartsWith(folder + Path.DirectorySeparatorChar, StringComparison.Ordinal) && File.Exists(path))
                yield return ($"{version}/{Path.GetRelativePath(folder, path).Replace('\\', '/')}", path);
        }
    }
}
