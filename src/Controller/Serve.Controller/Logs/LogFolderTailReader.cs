using System.Text;

namespace Serve.Controller.Logs;

/// <summary>
/// Follows the log files of one folder through rotation: a new file continues the previous one, and a file that was renamed or truncated is reopened by its
/// name.
/// </summary>
/// <param name="folder">The folder.</param>
/// <param name="tail">Number of existing lines to read.</param>
/// <param name="pattern">Names of the files; all logs by default.</param>
internal sealed class LogFolderTailReader(string folder, int tail, string pattern = "*.log") : IDisposable
{
    private const int MaxLineBytes = 1 << 20;
    private const int HeadBytes = 256;
    private readonly HashSet<string> _finished = new(StringComparer.Ordinal);
    private readonly MemoryStream _partial = new();
    private readonly MemoryStream _head = new();
    private FileStream? _current;
    private bool _isOpened;

    /// <summary>Returns the complete lines written since the last call; the first call returns the tail.</summary>
    public IReadOnlyList<string> ReadAvailable()
    {
        List<string> lines = [];
        if (!_isOpened)
        {
            _isOpened = true;
            ReadExisting(lines);
            return lines;
        }

        // Bounded, because a writer may be faster than this reader.
        for (var moves = 0; moves < 64; moves++)
        {
            Drain(lines);
            if (!TryMoveOn())
                break;
        }

        return lines;
    }

    public void Dispose() => _current?.Dispose();

    private void ReadExisting(List<string> lines)
    {
        Queue<string> last = [];
        var files = Files();

        // Only the newest files that contain the tail are read.
        var wanted = 0;
        var first = files.Count;
        while (first > 0 && wanted < tail)
        {
            first--;
            wanted = Math.Max(wanted, 0) + (tail == int.MaxValue ? 0 : CountLines(files[first].FullName));
        }

        foreach (var file in files.Take(first))
            _finished.Add(file.FullName);
        if (tail == 0)
        {
            // Without reading what exists; only its start identifies the file.
            if (files.Count > 0)
            {
                Open(files[^1]);
                var head = new byte[HeadBytes];
                _head.Write(head.AsSpan(0, _current!.ReadAtLeast(head, HeadBytes, throwOnEndOfStream: false)));
                _current.Seek(0, SeekOrigin.End);
            }

            return;
        }

        foreach (var file in files.Skip(Math.Min(first, Math.Max(0, files.Count - 1))))
        {
            if (_current is not null)
                Finish();
            Open(file);
            List<string> read = [];
            Drain(read);
            foreach (var line in read)
            {
                last.Enqueue(line);
                if (last.Count > tail)
                    last.Dequeue();
            }
        }

        lines.AddRange(last);
    }

    private bool TryMoveOn()
    {
        if (_current is not null)
        {
            var now = new FileInfo(_current.Name);
            if (now.Exists && now.Length != _current.Position && IsAnother(now))
            {
                _current.Dispose();
                Open(now);
                return true;
            }
        }

        var next = Files().Find(file => !_finished.Contains(file.FullName) && file.FullName != _current?.Name);
        if (next is null)
            return false;
        if (_current is not null)
            Finish();
        Open(next);
        return true;
    }

    // Not every file system stores creation times, so a file is identified by its first bytes.
    private bool IsAnother(FileInfo file)
    {
        if (file.Length < _current!.Position)
            return true;
        using var stream = new FileStream(file.FullName, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1);
        var begins = new byte[(int)_head.Length];
        return stream.ReadAtLeast(begins, begins.Length, throwOnEndOfStream: false) < begins.Length
            || !begins.AsSpan().SequenceEqual(_head.GetBuffer().AsSpan(0, begins.Length));
    }

    private void Finish()
    {
        _finished.Add(_current!.Name);
        _current.Dispose();
    }

    private void Open(FileInfo file)
    {
        _current = new FileStream(file.FullName, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1);
        _head.SetLength(0);
    }

    private void Drain(List<string> lines)
    {
        if (_current is null)
            return;
        var buffer = new byte[16 * 1024];
        int read;
        while ((read = _current.Read(buffer)) > 0)
        {
            var rest = buffer.AsSpan(0, read);
            if (_head.Length < HeadBytes)
                _head.Write(rest[..Math.Min(read, HeadBytes - (int)_head.Length)]);
            int end;
            while ((end = rest.IndexOf((byte)'\n')) >= 0)
            {
                _partial.Write(rest[..end]);
                Complete(lines);
                rest = rest[(end + 1)..];
            }

            _partial.Write(rest);
            if (_partial.Length > MaxLineBytes)
                Complete(lines);
        }
    }

    private void Complete(List<string> lines)
    {
        lines.Add(Encoding.UTF8.GetString(_partial.GetBuffer(), 0, (int)_partial.Length).TrimEnd('\r'));
        _partial.SetLength(0);
    }

    private static int CountLines(string path)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1);
        var buffer = new byte[64 * 1024];
        var lines = 0;
        int read;
        while ((read = stream.Read(buffer)) > 0)
            lines += buffer.AsSpan(0, read).Count((byte)'\n');
        return lines;
    }

    private List<FileInfo> Files() => Directory.Exists(folder)
        ? [.. new DirectoryInfo(folder).EnumerateFiles(pattern).OrderBy(file => file.LastWriteTimeUtc).ThenBy(file => file.Name, StringComparer.Ordinal)]
        : [];
}
