using System.Runtime.CompilerServices;

namespace Serve.Controller.Logs;

/// <summary>Follows the logs that match a query; logs that are created later are included.</summary>
/// <param name="catalog">Finds the logs.</param>
/// <param name="buffer">Log of the node's process; null if it is not kept.</param>
/// <param name="time">Clock.</param>
internal sealed class NodeLogFollower(NodeLogCatalog catalog, NodeLogBuffer? buffer, TimeProvider time)
{
    /// <summary>Number of lines that a reader receives at a time; more of them are dropped, since a page cannot show them.</summary>
    public const int MaxLines = 2000;

    private const int MaxSources = 500;
    private const int PollsPerSearch = 4;
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(250);

    /// <summary>Returns new lines as they are logged, and how many were dropped before them.</summary>
    /// <param name="query">Selects lines.</param>
    /// <param name="cancellationToken">Ends the stream.</param>
    public async IAsyncEnumerable<(IReadOnlyList<NodeLogLine> Lines, int Dropped)> FollowAsync(NodeLogQuery query, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        Dictionary<(string, string), (string Source, LogFolderTailReader Reader, NodeLogLine? Last)> readers = [];
        var position = buffer?.Read(0).Position ?? 0;
        try
        {
            for (var poll = 0; ; poll++)
            {
                if (poll % PollsPerSearch == 0)
                    Open(readers, query, isFirst: poll == 0);
                List<NodeLogLine> lines = [];
                if (buffer is not null && query.Includes(new NodeLogSource { Id = "node", Kind = "node", Pid = Environment.ProcessId }))
                {
                    (var own, position) = buffer.Read(position);
                    lines.AddRange(own.Where(query.Includes));
                }

                foreach (var (key, (source, reader, last)) in readers)
                {
                    var before = last;
                    foreach (var text in Read(reader))
                    {
                        before = NodeLogLine.Parse(source, text, before);
                        if (query.Includes(before))
                            lines.Add(before);
                    }

                    if (before != last)
                        readers[key] = (source, reader, before);
                }

                if (poll > 0)
                    yield return ([.. lines.OrderBy(static line => line.Time ?? DateTimeOffset.MinValue).TakeLast(MaxLines)], Math.Max(0, lines.Count - MaxLines));
                await Task.Delay(Interval, time, cancellationToken);
            }
        }
        finally
        {
            foreach (var (_, reader, _) in readers.Values)
                reader.Dispose();
        }
    }

    private void Open(Dictionary<(string, string), (string Source, LogFolderTailReader Reader, NodeLogLine? Last)> readers, NodeLogQuery query, bool isFirst)
    {
        foreach (var source in catalog.List().Where(query.Includes).Take(MaxSources))
        {
            foreach (var file in source.Files)
            {
                // Of a log that exists at the start, only new lines are wanted.
                if (!readers.ContainsKey(file))
                    readers.Add(file, (source.Id, new(file.Folder, isFirst ? 0 : int.MaxValue, file.Pattern), null));
            }
        }
    }

    private static IReadOnlyList<string> Read(LogFolderTailReader reader)
    {
        try
        {
            return reader.ReadAvailable();
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
