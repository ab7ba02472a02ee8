using System.Security.Cryptography;
using Microsoft.Net.Http.Headers;

namespace Serve.Dashboard.Assets;

/// <summary>One static file of the pages.</summary>
internal sealed class DashboardAsset
{
    private static readonly Dictionary<string, string> ContentTypes = new(StringComparer.OrdinalIgnoreCase)
    {
        [".html"] = "text/html; charset=utf-8",
        [".js"] = "text/javascript; charset=utf-8",
        [".mjs"] = "text/javascript; charset=utf-8",
        [".css"] = "text/css; charset=utf-8",
        [".svg"] = "image/svg+xml",
        [".png"] = "image/png",
        [".ico"] = "image/x-icon",
        [".json"] = "application/json",
        [".txt"] = "text/plain; charset=utf-8",
        [".woff2"] = "font/woff2",
    };

    private DashboardAsset(string path, byte[] compressed)
    {
        ContentType = ContentTypes.GetValueOrDefault(Path.GetExtension(path), "application/octet-stream");
        Compressed = compressed;
        Tag = new($"\"{Convert.ToHexStringLower(SHA256.HashData(compressed).AsSpan(0, 16))}\"");
    }

    /// <summary>Its media type, by its extension.</summary>
    public string ContentType { get; }

    /// <summary>Its content, compressed with gzip.</summary>
    public byte[] Compressed { get; }

    /// <summary>Changes with its content.</summary>
    public EntityTagHeaderValue Tag { get; }

    /// <summary>Whether a path ends like that of a static file.</summary>
    /// <param name="path">The path.</param>
    public static bool IsFileName(string path) => ContentTypes.ContainsKey(Path.GetExtension(path));

    /// <summary>Reads a file from its resource.</summary>
    /// <param name="path">Path of the file.</param>
    /// <param name="resource">Its compressed content.</param>
    public static DashboardAsset Read(string path, Stream resource)
    {
        using (resource)
        {
            var content = new byte[resource.Length];
            resource.ReadExactly(content);
            return new(path, content);
        }
    }
}
