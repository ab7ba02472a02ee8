using System.IO.Compression;
using System.Security.Cryptography;

namespace Serve.Controller.Packages;

/// <summary>Receives a zip file into the packages folder under the hash of its content. A package appears whole or not at all.</summary>
public sealed class PackageUploadReceiver(NodeStateDirectory directory, ControllerOptions options)
{
    private const int MaxEntries = 100_000;
    private const int UnixFileType = 0xF000;
    private const int UnixSymbolicLink = 0xA000;

    /// <summary>Receives one package.</summary>
    /// <param name="zip">The zip file.</param>
    /// <param name="cancellationToken">Gives it up; nothing is left behind.</param>
    /// <returns>The hash it is kept under.</returns>
    /// <exception cref="DefinitionException">It is no zip file, too large, or would write outside its folder.</exception>
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
                // The same package came twice at once; both are the same.
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
                throw new DefinitionException($"The package is larger than {options.MaxPackageBytes} bytes.");
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
                throw new DefinitionException($"The package holds {archive.Entries.Count} files; 1 to {MaxEntries} are allowed.");
            Directory.CreateDirectory(folder);
            var left = options.MaxUnpackedBytes;
            foreach (var entry in archive.Entries)
                left = await UnpackAsync(entry, folder, left, cancellationToken);
        }
        catch (InvalidDataException error)
        {
            throw new DefinitionException($"The package is not a zip file that can be read: {error.Message}");
        }
    }

    private async Task<long> UnpackAsync(ZipArchiveEntry entry, string folder, long left, CancellationToken cancellationToken)
    {
        var path = Path.GetFullPath(Path.Combine(folder, entry.FullName));
        var isLink = ((entry.ExternalAttributes >> 16) & UnixFileType) == UnixSymbolicLink;
        if (isLink || entry.FullName.Contains('\\') || Path.IsPathRooted(entry.FullName) || !path.StartsWith(folder + Path.DirectorySeparatorChar, StringComparison.Ordinal))
            throw new DefinitionException($"The package's entry '{entry.FullName}' does not stay within its folder.");
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

        // What an entry says of its size is not to be trusted; what comes out of it is counted.
        while ((read = await input.ReadAsync(buffer, cancellationToken)) > 0)
        {
            left -= read;
            if (left < 0)
                throw new DefinitionException($"The package is larger than {options.MaxUnpackedBytes} bytes when unpacked.");
            await output.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
        }

        return left;
    }
}
