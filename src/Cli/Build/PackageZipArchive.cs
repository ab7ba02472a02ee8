using System.IO.Compression;

namespace Serve.Cli.Build;

/// <summary>Packages as zip files, for another machine.</summary>
internal static class PackageZipArchive
{
    // The zip format's own earliest time: the same content gives the same file.
    private static readonly DateTimeOffset Epoch = new(1980, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>Writes a package's folder into a zip file; the file appears whole or not at all.</summary>
    /// <param name="folder">The package's folder.</param>
    /// <param name="file">The zip file.</param>
    public static void Write(string folder, string file)
    {
        var parent = Path.GetDirectoryName(Path.GetFullPath(file))!;
        Directory.CreateDirectory(parent);
        var temporary = Path.Combine(parent, $".{Path.GetFileName(file)}.{Guid.NewGuid():N}");
        try
        {
            using (var zip = ZipFile.Open(temporary, ZipArchiveMode.Create))
            {
                foreach (var (name, path) in ApplicationPackageStore.Files(folder).OrderBy(entry => entry.Name, StringComparer.Ordinal))
                {
                    var entry = zip.CreateEntry(name, CompressionLevel.Optimal);
                    entry.LastWriteTime = Epoch;
                    using var source = File.OpenRead(path);
                    using var target = entry.Open();
                    source.CopyTo(target);
                }
            }

            File.Move(temporary, file, overwrite: true);
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    /// <summary>Unpacks a zip file into the store.</summary>
    /// <param name="file">The zip file.</param>
    /// <param name="store">Where to.</param>
    /// <returns>The package's hash.</returns>
    /// <exception cref="DefinitionException">It is not a package.</exception>
    public static string Read(string file, ApplicationPackageStore store)
    {
        var staging = store.NewStaging();
        try
        {
            // Refuses entries that would leave the folder.
            ZipFile.ExtractToDirectory(file, staging);
            return store.Commit(staging);
        }
        catch (InvalidDataException e)
        {
            throw new DefinitionException($"{file} is not a package: {e.Message}");
        }
        finally
        {
            ApplicationPackageStore.Discard(staging);
        }
    }
}
