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
    /// <exception cref="DefinitionException">External data is not a regular file below the model's folder.</exception>
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
            if (!path.StartsWith(folder + Path.DirectorySeparatorChar, StringComparison.Ordinal) || !File.Exists(path))
                continue;
            RequireRegularFile(path, folder, model);
            yield return ($"{version}/{Path.GetRelativePath(folder, path).Replace('\\', '/')}", path);
        }
    }

    /// <summary>Throws if a path leads out of the folder through a link, or to a file whose content is not its own, such as a pipe or a device. The names are the model's, which may come from anyone.</summary>
    private static void RequireRegularFile(string path, string folder, string model)
    {
        for (var part = path; part.Length > folder.Length; part = Path.GetDirectoryName(part)!)
        {
            if (File.GetAttributes(part).HasFlag(FileAttributes.ReparsePoint))
                throw Refusal($"{part} is a symbolic link. Replace the link with the file");
        }

        // Pipes, sockets and devices have no length; opening a pipe would wait for its writer.
        if (new FileInfo(path).Length == 0)
            throw Refusal($"{path} is empty or a special file");

        DefinitionException Refusal(string fault) => new($"External data of {model} must be a regular file below the model's folder, but {fault}.");
    }
}
