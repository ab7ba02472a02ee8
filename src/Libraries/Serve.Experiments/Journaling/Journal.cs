using System.Buffers;
using System.Text.Json;

namespace Serve.Experiments.Journaling;

/// <summary>
/// Append-only file of events, one JSON object per line; the only source of truth of an experiment. Appending costs the same for the first and the millionth event. Thread-safe.
/// </summary>
/// <remarks>
/// Group commit: <see cref="Append"/> formats the event into a buffer; one writer thread exchanges the buffer for an empty one and writes it with a single call, so all events that arrived during
/// a write share the next one. Events reach the operating system in the order of the calls; they survive the death of the process as soon as they are written, and a power failure once
/// <see cref="FlushAsync"/> has completed. A full buffer blocks the caller until the writer has caught up.
/// </remarks>
public sealed class Journal : IAsyncDisposable
{
    /// <summary>The name of the file in the experiment's folder.</summary>
    public const string FileName = "journal.jsonl";

    private const string LockFileName = "journal.lock";
    private const int MaxBufferedBytes = 16 << 20;

    private readonly FileStream _lockFile;
    private readonly FileStream _file;
    private readonly System.Threading.Lock _lock = new();
    private readonly SemaphoreSlim _work = new(0, 1);
    private readonly ManualResetEventSlim _hasSpace = new(true);
    private readonly Task _writer;
    private readonly Utf8JsonWriter _json;
    private ArrayBufferWriter<byte> _pending = new(64 << 10);
    private ArrayBufferWriter<byte> _writing = new(64 << 10);
    private TaskCompletionSource? _flush;
    private Exception? _failure;
    private long _position;
    private bool _isClosed;

    private Journal(FileStream lockFile, FileStream file, long position)
    {
        (_lockFile, _file, _position) = (lockFile, file, position);
        _json = new Utf8JsonWriter(_pending);
        _writer = Task.Factory.StartNew(Write, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <summary>Creates the journal of a new experiment.</summary>
    /// <exception cref="IOException">The folder already has a journal.</exception>
    public static Journal Create(string folder)
    {
        Directory.CreateDirectory(folder);
        var path = Path.Combine(folder, FileName);
        var lockFile = Lock(folder);
        try
        {
            if (File.Exists(path))
                throw new IOException($"Folder '{folder}' already contains an experiment. Choose another name, or restore the experiment.");
            return new(lockFile, OpenFile(path, FileMode.CreateNew), 0);
        }
        catch
        {
            lockFile.Dispose();
            throw;
        }
    }

    /// <summary>Opens the journal of an existing experiment and reads its events. An incomplete last line, left by the death of a process, is removed.</summary>
    /// <exception cref="FileNotFoundException">The folder has no journal.</exception>
    /// <exception cref="FormatException">A line other than the last one is damaged.</exception>
    /// <exception cref="IOException">Another run uses the experiment.</exception>
    public static (Journal Journal, IReadOnlyList<ExperimentEvent> Events) Open(string folder)
    {
        var path = Path.Combine(folder, FileName);
        if (!File.Exists(path))
            throw new FileNotFoundException($"Folder '{folder}' contains no experiment ({FileName} is missing).", path);
        var lockFile = Lock(folder);
        FileStream? file = null;
        try
        {
            file = OpenFile(path, FileMode.Open);
            var (events, length) = Parse(path, file);
            if (file.Length > length)
                file.SetLength(length);
            return (new(lockFile, file, length), events);
        }
        catch
        {
            file?.Dispose();
            lockFile.Dispose();
            throw;
        }
    }

    /// <summary>Reads the events of an experiment, which another process may be writing.</summary>
    /// <exception cref="FileNotFoundException">The folder has no journal.</exception>
    /// <exception cref="FormatException">A line other than the last one is damaged.</exception>
    public static IReadOnlyList<ExperimentEvent> Read(string folder)
    {
        var path = Path.Combine(folder, FileName);
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        return Parse(path, file).Events;
    }

    /// <summary>Appends an event. Returns before it is written.</summary>
    /// <exception cref="IOException">An earlier event could not be written, for example because the disk is full.</exception>
    /// <exception cref="ObjectDisposedException">The journal is closed.</exception>
    public void Append(ExperimentEvent change)
    {
        ArgumentNullException.ThrowIfNull(change);
        _hasSpace.Wait();
        lock (_lock)
        {
            ThrowIfUnusable();
            _json.Reset(_pending);
            EventFormat.Write(_json, change);
            _json.Flush();
            _pending.Write("\n"u8);
            if (_pending.WrittenCount > MaxBufferedBytes)
                _hasSpace.Reset();
            WakeWriter();
        }
    }

    /// <summary>Waits until all events so far are on the disk.</summary>
    /// <exception cref="IOException">An event could not be written.</exception>
    public Task FlushAsync()
    {
        lock (_lock)
        {
            ThrowIfUnusable();
            _flush ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            WakeWriter();
            return _flush.Task;
        }
    }

    /// <summary>Writes all events and releases the experiment for other runs.</summary>
    public async ValueTask DisposeAsync()
    {
        lock (_lock)
        {
            if (_isClosed)
                return;
            _isClosed = true;
            WakeWriter();
        }

        await _writer;
        await _file.DisposeAsync();
        await _lockFile.DisposeAsync();
        await _json.DisposeAsync();
        _work.Dispose();
        _hasSpace.Dispose();
    }

    private void ThrowIfUnusable()
    {
        ObjectDisposedException.ThrowIf(_isClosed, this);
        if (_failure is not null)
            throw new IOException($"Journal '{_file.Name}' cannot be written: {_failure.Message}", _failure);
    }

    private void WakeWriter()
    {
        if (_work.CurrentCount == 0)
            _work.Release();
    }

    private void Write()
    {
        for (var isClosing = false; !isClosing;)
        {
            _work.Wait();
            TaskCompletionSource? flush;
            lock (_lock)
            {
                (_pending, _writing) = (_writing, _pending);
                (flush, _flush) = (_flush, null);
                isClosing = _isClosed;
                _hasSpace.Set();
            }

            try
            {
                // A lost event makes every later flush fail.
                if (_failure is not null)
                    throw _failure;
                if (_writing.WrittenCount > 0)
                {
                    RandomAccess.Write(_file.SafeFileHandle, _writing.WrittenSpan, _position);
                    _position += _writing.WrittenCount;
                }

                if (flush is not null || isClosing)
                    RandomAccess.FlushToDisk(_file.SafeFileHandle);
                flush?.SetResult();
            }
            catch (Exception failure)
            {
                lock (_lock)
                    _failure ??= failure;
                flush?.SetException(new IOException($"Journal '{_file.Name}' cannot be written: {failure.Message}", failure));
            }

            _writing.ResetWrittenCount();
        }
    }

    private static FileStream OpenFile(string path, FileMode mode) => new(path, mode, FileAccess.ReadWrite, FileShare.ReadWrite, bufferSize: 1);

    /// <summary>Locks an experiment for this run. The lock ends with the process.</summary>
    private static FileStream Lock(string folder)
    {
        try
        {
            return new FileStream(Path.Combine(folder, LockFileName), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException failure) when (File.Exists(Path.Combine(folder, LockFileName)))
        {
            throw new IOException($"Experiment '{folder}' is in use by another run. Wait for it, or choose another name.", failure);
        }
    }

    private static (IReadOnlyList<ExperimentEvent> Events, long Length) Parse(string path, FileStream file)
    {
        var content = new byte[file.Length];
        file.Position = 0;
        file.ReadExactly(content);
        List<ExperimentEvent> events = [];
        var start = 0;
        for (var line = 1; ; line++)
        {
            var length = content.AsSpan(start).IndexOf((byte)'\n');
            if (length < 0)
                return (events, start);
            try
            {
                events.Add(EventFormat.Read(content.AsMemory(start, length)));
            }
            catch (FormatException) when (start + length + 1 == content.Length)
            {
                // A torn write can end with a line break of its own data.
                return (events, start);
            }
            catch (FormatException failure)
            {
                throw new FormatException($"Line {line} of '{path}' is damaged: {failure.Message}", failure);
            }

            start += length + 1;
        }
    }
}
