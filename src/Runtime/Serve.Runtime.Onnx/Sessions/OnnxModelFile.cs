using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;

namespace Serve.Runtime.Onnx.Sessions;

/// <summary>Identity of a model file: its content and that of its external data files, wherever they are. Equal files share a session.</summary>
/// <param name="Path">Absolute path.</param>
/// <param name="Content">SHA-256 of the file, and names and hashes of its external data.</param>
internal sealed record OnnxModelFile(string Path, string Content)
{
    private const int Window = 1 << 20;

    // By path, length and time: later replicas need not read the file again.
    private static readonly ConcurrentDictionary<(string Path, string Stamp), (string Hash, ImmutableArray<string> DataFiles)> Known = new();

    // A StringStringEntryProto whose key (field 1) is "location"; its value (field 2) is the file's name.
    private static ReadOnlySpan<byte> Location => "\n\blocation\u0012"u8;

    /// <summary>Whether the files have not changed since they were read.</summary>
    public bool IsCurrent => Read(Path) == this;

    /// <summary>Reads a file, unless it is cached and unchanged.</summary>
    /// <exception cref="IOException">The file does not exist or cannot be read.</exception>
    public static OnnxModelFile Read(string path)
    {
        var (hash, dataFiles) = ContentOf(path, isModel: true);
        var directory = System.IO.Path.GetDirectoryName(path)!;
        return new(path, string.Join('\n', dataFiles.Select(name => $"{name} {DataHashOf(System.IO.Path.Combine(directory, name))}").Prepend(hash)));
    }

    private static string DataHashOf(string path) => File.Exists(path) ? ContentOf(path, isModel: false).Hash : "gone";

    private static (string Hash, ImmutableArray<string> DataFiles) ContentOf(string path, bool isModel)
    {
        var stamp = StampOf(path);
        if (Known.TryGetValue((path, stamp), out var known))
            return known;
        if (Known.Count >= 1000)
            Known.Clear();
        return Known[(path, stamp)] = ReadContent(path, isModel);
    }

    private static (string Hash, ImmutableArray<string> DataFiles) ReadContent(string path, bool isModel)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var names = new SortedSet<string>(StringComparer.Ordinal);
        var buffer = new byte[Window];
        var kept = 0;
        using (var file = File.OpenRead(path))
        {
            while (file.Read(buffer, kept, Window - kept) is > 0 and var read)
            {
                hash.AppendData(buffer, kept, read);
                if (!isModel)
                    continue;
                var filled = kept + read;
                var searched = Collect(buffer.AsSpan(0, filled), names);

                // The end of the buffer may contain the start of a name, and is searched again together with the next part.
                kept = Math.Min(filled - searched, 1024);
                buffer.AsSpan(filled - kept, kept).CopyTo(buffer);
            }
        }

        return (Convert.ToHexStringLower(hash.GetHashAndReset()), [.. names]);
    }

    private static int Collect(ReadOnlySpan<byte> bytes, SortedSet<string> names)
    {
        var from = 0;
        while (bytes[from..].IndexOf(Location) is >= 0 and var found)
        {
            var start = from + found + Location.Length;
            if (start + 2 > bytes.Length)
                return from + found;
            var length = bytes[start] & 0x7F;
            var text = start + 1;
            if (bytes[start] >= 0x80)
                length |= (bytes[text++] & 0x7F) << 7;
            if (text + length > bytes.Length)
                return from + found;
            names.Add(Encoding.UTF8.GetString(bytes.Slice(text, length)).Replace("\0", "", StringComparison.Ordinal));
            from = text + length;
        }

        return Math.Max(from, bytes.Length - Location.Length);
    }

    private static string StampOf(string path)
    {
        var file = new FileInfo(path);
        return file.Exists ? $"{file.Length}:{file.LastWriteTimeUtc.Ticks}" : "gone";
    }
}
