using System.Text;

namespace Serve.Replica.Logs;

/// <summary>Reads the lines that have been appended to a file since the last call. Not thread-safe; a call during another one is ignored.</summary>
/// <param name="file">The file.</param>
internal sealed class NativeOutputReader(string file)
{
    private const int MaxBytes = 1 << 20;
    private long _position;
    private int _isReading;

    /// <summary>Reads the complete lines.</summary>
    /// <param name="onLine">Receives each line.</param>
    public void ReadLines(Action<string> onLine)
    {
        if (Interlocked.Exchange(ref _isReading, 1) != 0)
            return;
        try
        {
            if (new FileInfo(file) is not { Exists: true, Length: var length } || length <= _position)
                return;
            using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 1);
            stream.Position = _position;
            var buffer = new byte[(int)Math.Min(length - _position, MaxBytes)];
            var read = stream.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
            var end = buffer.AsSpan(0, read).LastIndexOf((byte)'\n') + 1;

            // Without an end of line, a full buffer is one line.
            if (end == 0 && read == MaxBytes)
                end = read;
            _position += end;
            foreach (var line in Encoding.UTF8.GetString(buffer, 0, end).Split('\n', StringSplitOptions.RemoveEmptyEntries))
                onLine(line.TrimEnd('\r'));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // Read again later; the file itself has the output in any case.
        }
        finally
        {
            Volatile.Write(ref _isReading, 0);
        }
    }
}
