using System.Text.Json;
using Serve.Specs;

namespace Serve.Cli.Build;

/// <summary>The packages of a state directory, each a folder named by the hash of its content. Only ever added to; a folder is complete or not there.</summary>
/// <param name="directory">The folder that holds them.</param>
internal sealed class ApplicationPackageStore(string directory)
{
    /// <summary>Where a package lies, whether or not it is there.</summary>
    /// <param name="hash">Its hash.</param>
    /// <returns>The folder.</returns>
    public string FolderOf(string hash) => Path.Combine(directory, hash);

    /// <summary>Reads what a package says about itself.</summary>
    /// <param name="hash">Its hash.</param>
    /// <returns>The manifest.</returns>
    /// <exception cref="DefinitionException">There is no such package.</exception>
    public PackageManifest ReadManifest(string hash)
    {
        var file = Path.Combine(FolderOf(hash), PackageManifest.FileName);
        return File.Exists(file)
            ? ParseManifest(File.ReadAllBytes(file), file)
            : throw new DefinitionException($"There is no package {hash} on this node. Upload it first: 'serve deploy FILE.zip' does.");
    }

    /// <summary>Adds what lies in a folder, unless the same content is there already.</summary>
    /// <param name="source">The folder; not changed.</param>
    /// <param name="include">Which of its files, by relative name; null takes all.</param>
    /// <param name="manifest">What the package is to say about itself.</param>
    /// <returns>The package's hash.</returns>
    public string Add(string source, Func<string, bool>? include, PackageManifest manifest) =>
        Add(Files(source).Where(file => include is null || include(file.Name)), manifest);

    /// <summary>Adds files, unless the same content is there already.</summary>
    /// <param name="files">Names within the package (with <c>/</c>), and where each lies now; not changed.</param>
    /// <param name="manifest">What the package is to say about itself.</param>
    /// <returns>The package's hash.</returns>
    public string Add(IEnumerable<(string Name, string Path)> files, PackageManifest manifest)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(manifest, ServeJson.Options);
        var all = files.Where(file => file.Name != PackageManifest.FileName).ToList();
        // Most of what is added is there already: read once, and nothing is written.
        var known = PackageContentHash.Of(all, (PackageManifest.FileName, json));
        if (Directory.Exists(FolderOf(known)))
            return known;
        var staging = NewStaging();
        try
        {
            foreach (var (name, path) in all)
            {
                var target = Path.Combine(staging, name);
                Directory.CreateDirectory(Path.GetDirectoryName(target)!);
                File.Copy(path, target);
            }

            File.WriteAllBytes(Path.Combine(staging, PackageManifest.FileName), json);
            // By the hash of what was copied: a file may have changed meanwhile.
            return Commit(staging);
        }
        finally
        {
            Discard(staging);
        }
    }

    /// <summary>Adds a package that was unpacked into a folder made by <see cref="NewStaging"/>; the folder is gone afterwards.</summary>
    /// <param name="staging">The folder.</param>
    /// <returns>The package's hash.</returns>
    public string Commit(string staging)
    {
        var manifestFile = Path.Combine(staging, PackageManifest.FileName);
        if (!File.Exists(manifestFile))
            throw new DefinitionException($"This is not a package: it has no {PackageManifest.FileName}. 'serve build TARGET -o FILE' makes one.");
        var manifest = ParseManifest(File.ReadAllBytes(manifestFile), manifestFile);
        if (manifest.AssemblyFile is { } assembly && !File.Exists(Path.Combine(staging, assembly)))
            throw new DefinitionException($"The package names the assembly '{assembly}' and does not hold it.");
        if (manifest.AssemblyFile is null && ModelVersionFiles.Find(staging).Count == 0)
            throw new DefinitionException($"The package has neither an assembly nor a model in VERSION/{ModelVersionFiles.FileName}.");
        var hash = PackageContentHash.Of(Files(staging));
        var target = FolderOf(hash);
        if (!Directory.Exists(target))
        {
            try
            {
                Directory.Move(staging, target);
            }
            catch (IOException) when (Directory.Exists(target))
            {
                // Somebody else added the same content meanwhile.
            }
        }

        Discard(staging);
        return hash;
    }

    /// <summary>A new empty folder on the same file system, to be handed to <see cref="Commit"/> or <see cref="Discard"/>.</summary>
    /// <returns>The folder.</returns>
    public string NewStaging() =>
        Directory.CreateDirectory(Path.Combine(directory, $".new-{Guid.NewGuid():N}")).FullName;

    /// <summary>Removes a folder made by <see cref="NewStaging"/>, if it is still there.</summary>
    /// <param name="staging">The folder.</param>
    public static void Discard(string staging)
    {
        if (Directory.Exists(staging))
            Directory.Delete(staging, recursive: true);
    }

    /// <summary>The files below a folder.</summary>
    /// <param name="folder">The folder.</param>
    /// <returns>Relative names (with <c>/</c>) and paths.</returns>
    public static IEnumerable<(string Name, string Path)> Files(string folder) =>
        Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
            .Select(path => (Path.GetRelativePath(folder, path).Replace('\\', '/'), path));

    private static PackageManifest ParseManifest(byte[] json, string file)
    {
        try
        {
            return JsonSerializer.Deserialize<PackageManifest>(json, ServeJson.Options)
                ?? throw new DefinitionException($"{file} is empty.");
        }
        catch (JsonException e)
        {
            throw new DefinitionException($"{file} cannot be read: {e.Message}");
        }
    }
}
