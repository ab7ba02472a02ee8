using System.Security.Cryptography;
using System.Text;

namespace Serve.Cli.Build;

/// <summary>The hash that names a package: over the names and contents of its files, in a fixed order.</summary>
internal static class PackageContentHash
{
    /// <summary>Hashes a set of files.</summary>
    /// <param name="files">Relative names (with <c>/</c>) and where each lies.</param>
    /// <param name="unwritten">One more, which does not lie anywhere yet.</param>
    /// <returns>64 hex digits.</returns>
    public static string Of(IEnumerable<(string Name, string Path)> files, (string Name, byte[] Content)? unwritten = null)
    {
        var contents = files.Select(file => (file.Name, Open: (Func<Stream>)(() => File.OpenRead(file.Path))));
        if (unwritten is var (more, content))
            contents = contents.Append((more, () => new MemoryStream(content, writable: false)));
        using var all = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var (name, open) in contents.OrderBy(file => file.Name, StringComparer.Ordinal))
        {
            all.AppendData(Encoding.UTF8.GetBytes(name + "\0"));
            using var stream = open();
            all.AppendData(SHA256.HashData(stream));
        }

        return Convert.ToHexStringLower(all.GetHashAndReset());
    }

    /// <summary>Hashes text.</summary>
    /// <param name="parts">The parts; their borders count.</param>
    /// <returns>64 hex digits.</returns>
    public static string Of(params ReadOnlySpan<string> parts)
    {
        using var all = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var part in parts)
            all.AppendData(SHA256.HashData(Encoding.UTF8.GetBytes(part)));
        return Convert.ToHexStringLower(all.GetHashAndReset());
    }
}
