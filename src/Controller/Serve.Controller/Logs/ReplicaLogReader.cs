using System.Runtime.CompilerServices;

namespace Serve.Controller.Logs;

/// <summary>Reads the last log lines of replicas and, optionally, follows their logs; replicas that start later are included.</summary>
internal sealed class ReplicaLogReader(ReplicaLogSelection selection, TimeProvider time)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(200);

    /// <summary>Reads the lines, in order for each replica. If there are several replicas, each line is prefixed with its replica.</summary>
    public async IAsyncEnumerable<ReplicaLogLine> ReadAsync(int tail, bool follow, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        Dictionary<string, LogFolderTailReader> tails = [];
        try
        {
            var isFirst = true;
            var marked = false;
            while (true)
            {
                var folders = selection.Folders().ToList();
                marked |= folders.Count > 1;
                List<string> lines = [];
                foreach (var (folder, mark) in folders)
                {
                    if (!tails.TryGetValue(folder, out var reader))
                        tails.Add(folder, reader = new LogFolderTailReader(folder, isFirst ? tail : int.MaxValue));
                    foreach (var line in reader.ReadAvailable())
                        lines.Add(marked ? $"[{mark}] {line}" : line);
                }

                for (var i = 0; i < lines.Count; i++)
                    yield return new(lines[i], i == lines.Count - 1);
                if (!follow)
                    yield break;
                isFirst = false;
                await Task.Delay(Interval, time, cancellationToken);
            }
        }
        finally
        {
            foreach (var reader in tails.Values)
                reader.Dispose();
        }
    }
}

/// <summary>One log line; <paramref name="IsLast"/> marks the last line that is available now.</summary>
internal readonly record struct ReplicaLogLine(string Text, bool IsLast);
