using System.Text;

namespace Serve.Controller;

/// <summary>
/// Follows the log files of one folder through rotation: a new file in the folder continues the one before, and a file that was renamed
/// or cut short is opened anew under its name.
/// </summary>
/// <param name="folder">The folder.</param>
/// <param name="tail">How many lines of what is already there are wanted.</param>
internal sealed class FolderTail(string folder, int tail) : IDisposable
{
    private const int MaxLineBytes = 1 << 20;
    private const int HeadBytes = 256;
    private readonly HashSet<string> finished = new(StringComparer.Ordinal);
    private readonly MemoryStream partial = new();
    private readonly MemoryStream head = new();
    private FileStream? current;
    private bool isOpened;

    /// <summary>The complete lines that have come since the last call; the first call gives the tail.</summary>
    public IReadOnlyList<string> ReadAvailable()
    {
        List<string> lines = [];
        if (!isOpened)
        {
            isOpened = true;
            ReadExisting(lines);
            return lines;
        }

        // Bounded, since a writer may be faster than this reader.
        for (var moves = 0; moves < 64; moves++)
        {
            Drain(lines);
            if (!TryMoveOn())
                break;
        }

        return lines;
    }

    public void Dispose() => current?.Dispose();

    private void ReadExisting(List<string> lines)
    {
        Queue<string> last = [];
        var files = Files();

        // Only the newest files that together hold the tail are read.
        var wanted = 0;
        var first = files.Count;
        while (first > 0 && wanted < tail)
        {
            first--;
            wanted = Math.Max(wanted, 0) + (tail == int.MaxValue ? 0 : CountLines(files[first].FullName));
        }

        foreach (var file in files.Take(first))
            finished.Add(file.FullName);
        foreach (var file in files.Skip(Math.Min(first, Math.Max(0, files.Count - 1))))
        {
            if (current is not null)
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
        if (current is not null)
        {
            var now = new FileInfo(current.Name);
            if (now.Exists && now.Length != current.Position && IsAnother(now))
            {
                current.Dispose();
                Open(now);
                return true;
            }
        }

        var next = Files().Find(file => !finished.Contains(file.FullName) && file.FullName != current?.Name);
        if (next is null)
            return false;
        if (current is not null)
            Finish();
        Open(next);
        return true;
    }

    // Times of creation are not to be had on every file system, so a file is known by how it begins.
    private bool IsAnother(FileInfo file)
    {
        if (file.Length < current!.Position)
            return true;
        using var stream = new FileStream(file.FullName, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1);
        var begins = new byte[(int)head.Length];
        return stream.ReadAtLeast(begins, begins.Length, throwOnEndOfStream: false) < begins.Length
            || !begins.AsSpan().SequenceEqual(head.GetBuffer().AsSpan(0, begins.Length));
    }

    private void Finish()
    {
        finished.Add(current!.Name);
        current.Dispose();
    }

    private void Open(FileInfo file)
    {
        current = new FileStream(file.FullName, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1);
        head.SetLength(0);
    }

    private void Drain(List<string> lines)
    {
        if (current is null)
            return;
        var buffer = new byte[16 * 1024];
        int read;
        while ((read = current.Read(buffer)) > 0)
        {
            var rest = buffer.AsSpan(0, read);
            if (head.Length < HeadBytes)
                head.Write(rest[..Math.Min(read, HeadBytes - (int)head.Length)]);
            int end;
            while ((end = rest.IndexOf((byte)'\n')) >= 0)
            {
                partial.Write(rest[..end]);
                Complete(lines);
                rest = rest[(end + 1)..];
            }

            partial.Write(rest);
            if (partial.Length > MaxLineBytes)
                Complete(lines);
        }
    }

    private void Complete(List<string> lines)
    {
        lines.Add(Encoding.UTF8.GetString(partial.GetBuffer(), 0, (int)partial.Length).TrimEnd('\r'));
        partial.SetLength(0);
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
        ? [.. new DirectoryInfo(folder).EnumerateFiles("*.log").OrderBy(file => file.LastWriteTimeUtc).ThenBy(file => file.Name, StringComparer.Ordinal)]
        : [];
}
