using System.Security.Cryptography;
using System.Text;

namespace Serve.Cli.Build;

/// <summary>The hash that names a package: over the names and contents of its files, in a fixed order.</summary>
internal static class ContentHash
{
    /// <summary>Hashes a set of files.</summary>
    /// <param name="files">Relative names (with <c>/</c>) and where each lies.</param>
    /// <returns>64 hex digits.</returns>
    public static string Of(IEnumerable<(string Name, string Path)> files)
    {
        using var all = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var (name, path) in files.OrderBy(file => file.Name, StringComparer.Ordinal))
        {
            all.AppendData(Encoding.UTF8.GetBytes(name + "\0"));
            using var stream = File.OpenRead(path);
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
