using System.IO.Compression;

namespace Serve.Controller.Packages;

/// <summary>Packages as zip files, for transport to another machine.</summary>
public static class PackageZipArchive
{
    // The earliest time of the zip format: equal content gives an equal file.
    private static readonly DateTimeOffset Epoch = new(1980, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>Writes the folder of a package to a zip file. The file appears atomically.</summary>
    /// <param name="folder">The package's folder.</param>
    /// <param name="file">The zip file to write.</param>
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

    /// <summary>Extracts a zip file into the package store.</summary>
    /// <param name="file">The zip file.</param>
    /// <param name="store">The store.</param>
    /// <returns>The package's hash.</returns>
    /// <exception cref="DefinitionException">The file is not a package.</exception>
    public static string Read(string file, ApplicationPackageStore store)
    {
        ArgumentNullException.ThrowIfNull(store);
        var staging = store.NewStaging();
        try
        {
            // Rejects entries outside of the target folder.
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
