using System.Text;

namespace Serve.Controller.Logs;

/// <summary>Reads the newest lines of logs that match a query. Reads the ends of the files only, more of them until enough lines match, at most <see cref="MaxBytes"/> in all.</summary>
/// <param name="buffer">Log of the node's process; null if it is not kept.</param>
internal sealed class NodeLogReader(NodeLogBuffer? buffer)
{
    /// <summary>Limit of a read.</summary>
    public const long MaxBytes = 64L << 20;

    private const int FirstBytes = 256 * 1024;
    private const int MoreBytes = 8 << 20;
    private long _bytes;

    /// <summary>Whether older lines may match, which were not read.</summary>
    public bool IsTruncated { get; private set; }

    /// <summary>Reads lines, oldest first.</summary>
    /// <param name="sources">The logs, the ones that were written last first.</param>
    /// <param name="query">Selects lines.</param>
    /// <param name="tail">Number of lines.</param>
    public IReadOnlyList<NodeLogLine> Read(IEnumerable<NodeLogSource> sources, NodeLogQuery query, int tail)
    {
        List<NodeLogLine> found = [];
        foreach (var source in sources)
        {
            if (source.Kind == "node")
                found.AddRange((buffer?.Read(0).Lines ?? []).Where(query.Includes).TakeLast(tail));
            foreach (var (folder, pattern) in source.Files)
                found.AddRange(ReadFiles(source.Id, folder, pattern, query, tail));
        }

        IsTruncated |= found.Count > tail;
        // A stable sort: lines of one log keep their order.
        return [.. found.OrderBy(static line => line.Time ?? DateTimeOffset.MinValue).TakeLast(tail)];
    }

    private List<NodeLogLine> ReadFiles(string source, string folder, string pattern, NodeLogQuery query, int tail)
    {
        List<NodeLogLine> found = [];
        if (!Directory.Exists(folder))
            return found;
        foreach (var file in new DirectoryInfo(folder).EnumerateFiles(pattern).OrderByDescending(static file => file.LastWriteTimeUtc).ThenByDescending(static file => file.Name, StringComparer.Ordinal))
        {
            if (found.Count >= tail)
            {
                IsTruncated = true;
                break;
            }

            found.InsertRange(0, ReadFile(source, file.FullName, query, tail - found.Count));
        }

        return found;
    }

    private List<NodeLogLine> ReadFile(string source, string path, NodeLogQuery query, int tail)
    {
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1);
            List<NodeLogLine> found = [];
            foreach (var size in new[] { FirstBytes, MoreBytes })
            {
                if (_bytes >= MaxBytes)
                {
                    IsTruncated = true;
                    break;
                }

                found = ReadEnd(stream, source, Math.Min(size, stream.Length), query);
                if (found.Count >= tail || stream.Length <= size)
                    break;
                IsTruncated |= size == MoreBytes;
            }

            return found.Count <= tail ? found : found[^tail..];
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            // Deleted by the retention of logs.
            return [];
        }
    }

    private List<NodeLogLine> ReadEnd(FileStream stream, string source, long size, NodeLogQuery query)
    {
        _bytes += size;
        var content = new byte[size];
        stream.Seek(-size, SeekOrigin.End);
        var rest = content.AsSpan(0, stream.ReadAtLeast(content, content.Length, throwOnEndOfStream: false));
        // The start of the first line is missing, unless this is the whole file.
        if (stream.Length > size)
            rest = rest[(rest.IndexOf((byte)'\n') + 1)..];
        List<NodeLogLine> found = [];
        NodeLogLine? before = null;
        while (!rest.IsEmpty)
        {
            var end = rest.IndexOf((byte)'\n');
            var line = end < 0 ? rest : rest[..end];
            rest = end < 0 ? [] : rest[(end + 1)..];
            // Four bytes are enough for a character; the line is cut to that many characters below.
            before = NodeLogLine.Parse(source, Encoding.UTF8.GetString(line[..Math.Min(line.Length, (NodeLogLine.MaxLength + 100) * 4)]).TrimEnd('\r'), before);
            if (query.Includes(before))
                found.Add(before);
        }

        return found;
    }
}
