using System.Security.Cryptography;
using System.Text;

namespace Serve.Controller.Packages;

/// <summary>SHA-256 over names and contents of files, in ordinal order of the names. It names packages and build folders.</summary>
internal static class PackageContentHash
{
    private const int BufferSize = 1 << 20;

    /// <summary>Hashes a set of files.</summary>
    /// <param name="files">Relative name (with <c>/</c>) and path of each file.</param>
    /// <param name="unwritten">An additional file whose content is in memory.</param>
    /// <param name="cancellationToken">Cancels reading.</param>
    /// <returns>64 hex digits.</returns>
    public static string Of(IEnumerable<(string Name, string Path)> files, (string Name, byte[] Content)? unwritten = null, CancellationToken cancellationToken = default)
    {
        var buffer = new byte[BufferSize];
        var contents = files.Select(file => (file.Name, Open: (Func<Stream>)(() => File.OpenRead(file.Path))));
        if (unwritten is var (more, content))
            contents = contents.Append((more, () => new MemoryStream(content, writable: false)));
        using var all = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var (name, open) in contents.OrderBy(file => file.Name, StringComparer.Ordinal))
        {
            all.AppendData(Encoding.UTF8.GetBytes(name + "\0"));
            using var stream = open();
            all.AppendData(HashOf(stream, buffer, cancellationToken));
        }

        return Convert.ToHexStringLower(all.GetHashAndReset());
    }

    private static byte[] HashOf(Stream stream, byte[] buffer, CancellationToken cancellationToken)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        while (stream.Read(buffer) is > 0 and var read)
        {
            cancellationToken.ThrowIfCancellationRequested();
            hash.AppendData(buffer, 0, read);
        }

        return hash.GetHashAndReset();
    }

    /// <summary>Hashes a sequence of strings; <c>("ab", "c")</c> and <c>("a", "bc")</c> differ.</summary>
    /// <returns>64 hex digits.</returns>
    public static string Of(params ReadOnlySpan<string> parts)
    {
        using var all = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var part in parts)
            all.AppendData(SHA256.HashData(Encoding.UTF8.GetBytes(part)));
        return Convert.ToHexStringLower(all.GetHashAndReset());
    }
}
