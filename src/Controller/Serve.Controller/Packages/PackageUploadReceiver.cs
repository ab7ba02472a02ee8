using System.IO.Compression;
using System.Security.Cryptography;
using Serve.Controller.Store;

namespace Serve.Controller.Packages;

/// <summary>Receives uploaded zip files and stores them as packages under the hash of the file. A package appears atomically.</summary>
public sealed class PackageUploadReceiver(NodeStateDirectory directory, ControllerOptions options)
{
    private const int MaxEntries = 100_000;
    private const int UnixFileType = 0xF000;
    private const int UnixSymbolicLink = 0xA000;

    /// <summary>Receives one package.</summary>
    /// <param name="zip">The zip file.</param>
    /// <param name="cancellationToken">Cancels the upload; nothing is stored.</param>
    /// <returns>Hash of the package.</returns>
    /// <exception cref="DefinitionException">The content is not a zip file, is too large, or contains a path outside of its folder.</exception>
    public async Task<string> ReceiveAsync(Stream zip, CancellationToken cancellationToken)
    {
        var work = Path.Combine(directory.Run, $"upload-{Guid.NewGuid():N}");
        Directory.CreateDirectory(work);
        try
        {
            var file = Path.Combine(work, "package.zip");
            var hash = await StoreAsync(zip, file, cancellationToken);
            var target = Path.Combine(directory.Packages, hash);
            if (Directory.Exists(target))
                return hash;
            var folder = Path.Combine(work, "content");
            await UnpackAsync(file, folder, cancellationToken);
            try
            {
                Directory.Move(folder, target);
            }
            catch (IOException) when (Directory.Exists(target))
            {
                // The same package was uploaded concurrently.
            }

            return hash;
        }
        finally
        {
            Directory.Delete(work, recursive: true);
        }
    }

    private async Task<string> StoreAsync(Stream zip, string file, CancellationToken cancellationToken)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        await using var output = new FileStream(file, FileMode.CreateNew, FileAccess.Write, FileShare.None);
        var buffer = new byte[81_920];
        long total = 0;
        int read;
        while ((read = await zip.ReadAsync(buffer, cancellationToken)) > 0)
        {
            total += read;
            if (total > options.MaxPackageBytes)
                throw new DefinitionException($"The package must have at most {options.MaxPackageBytes} bytes.");
            hash.AppendData(buffer, 0, read);
            await output.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private async Task UnpackAsync(string file, string folder, CancellationToken cancellationToken)
    {
        try
        {
            await using var stream = File.OpenRead(file);
            await using var archive = new ZipArchive(stream, ZipArchiveMode.Read);
            if (archive.Entries.Count is 0 or > MaxEntries)
                throw new DefinitionException($"The package must contain 1 to {MaxEntries} files, but contains {archive.Entries.Count}.");
            Directory.CreateDirectory(folder);
            var left = options.MaxUnpackedBytes;
            foreach (var entry in archive.Entries)
                left = await UnpackAsync(entry, folder, left, cancellationToken);
        }
        catch (InvalidDataException error)
        {
            throw new DefinitionException($"The package is not a valid zip file: {error.Message}");
        }
    }

    private async Task<long> UnpackAsync(ZipArchiveEntry entry, string folder, long left, CancellationToken cancellationToken)
    {
        var path = Path.GetFullPath(Path.Combine(folder, entry.FullName));
        var isLink = ((entry.ExternalAttributes >> 16) & UnixFileType) == UnixSymbolicLink;
        if (isLink || entry.FullName.Contains('\\') || Path.IsPathRooted(entry.FullName) || !path.StartsWith(folder + Path.DirectorySeparatorChar, StringComparison.Ordinal))
            throw new DefinitionException($"Entry '{entry.FullName}' of the package is outside of its folder.");
        if (entry.FullName.EndsWith('/'))
        {
            Directory.CreateDirectory(path);
            return left;
        }

        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        await using var output = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None);
        await using var input = await entry.OpenAsync(cancellationToken);
        var buffer = new byte[81_920];
        int read;

        // The size that an entry states may be wrong: count the extracted bytes.
        while ((read = await input.ReadAsync(buffer, cancellationToken)) > 0)
        {
            left -= read;
            if (left < 0)
                throw new DefinitionException($"The unpacked package must have at most {options.MaxUnpackedBytes} bytes.");
            await output.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
        }

        return left;
    }
}
