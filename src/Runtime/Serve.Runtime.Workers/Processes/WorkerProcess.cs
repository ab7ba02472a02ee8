using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;

namespace Serve.Runtime.Workers.Processes;

/// <summary>
/// One worker as an operating system process: its start, its pipes, its end. It is reaped before <see cref="Exited"/> completes, and its group
/// is killed with it. Knows nothing of actors.
/// </summary>
internal sealed class WorkerProcess
{
    private const int KeptLines = 200;
    private readonly Process _process;
    private readonly string _logFile;
    private readonly ConcurrentQueue<string> _errorLines = new();
    private readonly Lock _sending = new();
    private readonly TaskCompletionSource<WorkerReadyMessage?> _listens = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource? _pong;
    private volatile string? _killedBecause;

    private WorkerProcess(Process process, string logFile)
    {
        this._process = process;
        this._logFile = logFile;
        Pid = process.Id;
        var errors = RecordErrorOutputAsync(process.StandardError);
        Exited = WaitAsync(errors);
    }

    public int Pid { get; }

    /// <summary>How it ended, for people. Never fails.</summary>
    public Task<string> Exited { get; }

    public static async Task<WorkerProcess> StartAsync(IReadOnlyList<string> command, IReadOnlyDictionary<string, string> environment, string logFile)
    {
        var info = new ProcessStartInfo(command[0], command.Skip(1))
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in environment)
            info.Environment[name] = value;
        return new(await ChildProcessStarter.StartAsync(info), logFile);
    }

    /// <summary>Tells it who it is and waits until it can be called.</summary>
    /// <exception cref="IOException">It ended, or wrote something else.</exception>
    public async Task<WorkerReadyMessage> PerformHandshakeAsync(WorkerHandshakeMessage handshake, CancellationToken cancellationToken)
    {
        Send(JsonSerializer.Serialize(handshake, ServeJson.Options));
        var ready = await ReadReadyAsync(cancellationToken);
        _ = ReadAnswersAsync();
        return ready;
    }

    /// <summary>Has one that does not listen yet serve HTTP and gRPC. Once.</summary>
    /// <exception cref="IOException">It ended.</exception>
    public async Task<WorkerReadyMessage> ListenAsync(CancellationToken cancellationToken)
    {
        Send(WorkerHandshakeMessage.ListenLine);
        return await _listens.Task.WaitAsync(cancellationToken) ?? throw OutputClosedEarly();
    }

    /// <summary>Asks it whether it lives. A thread answers that does nothing else: a process that is busy does too, one that is frozen does not.</summary>
    /// <returns>False when it has not answered by the time that the token fires, or has ended.</returns>
    public async Task<bool> PingAsync(CancellationToken cancellationToken)
    {
        var answered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Volatile.Write(ref _pong, answered);
        if (!TrySend(WorkerHandshakeMessage.PingLine))
            return false;
        await answered.Task.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return answered.Task.IsCompleted;
    }

    /// <summary>Asks it to end by itself; harmless when it is gone.</summary>
    public void RequestStop() => TrySend(WorkerHandshakeMessage.StopLine);

    /// <summary>Kills it and its children.</summary>
    /// <param name="because">Told as the way it ended; null where that is nobody's surprise.</param>
    public void Kill(string? because = null)
    {
        _killedBecause ??= because;
        if (Exited.IsCompleted)
            return;
        NativeProcessApi.KillGroup(Pid);
        try
        {
            // Also when it had not made its group yet.
            _process.Kill(entireProcessTree: OperatingSystem.IsWindows());
        }
        catch (InvalidOperationException)
        {
            // It ended first.
        }
    }

    private async Task<WorkerReadyMessage> ReadReadyAsync(CancellationToken cancellationToken)
    {
        while (await _process.StandardOutput.ReadLineAsync(cancellationToken) is { } line)
        {
            // A host may print a banner of its own first.
            if (line.StartsWith('{'))
                return JsonSerializer.Deserialize<WorkerReadyMessage>(line, ServeJson.Options)!;
        }

        throw OutputClosedEarly();
    }

    private static IOException OutputClosedEarly() => new("The worker closed its output before it was ready.");

    /// <summary>Reads what it answers to orders, until its end.</summary>
    private async Task ReadAnswersAsync()
    {
        try
        {
            while (await _process.StandardOutput.ReadLineAsync() is { } line)
            {
                if (line == WorkerHandshakeMessage.PongLine)
                    Volatile.Read(ref _pong)?.TrySetResult();
                else if (!line.StartsWith('{'))
                    RecordOutputLine(line);
                else
                    _listens.TrySetResult(JsonSerializer.Deserialize<WorkerReadyMessage>(line, ServeJson.Options));
            }
        }
        catch (Exception thrown) when (IsEnd(thrown))
        {
            // The pipe went with the process.
        }

        _listens.TrySetResult(null);
    }

    // Short enough for the pipe's buffer: it does not wait for the worker to read.
    private void Send(string line)
    {
        lock (_sending)
        {
            _process.StandardInput.Write(line + "\n");
            _process.StandardInput.Flush();
        }
    }

    private bool TrySend(string line)
    {
        try
        {
            Send(line);
            return true;
        }
        catch (Exception thrown) when (IsEnd(thrown))
        {
            // It ended first.
            return false;
        }
    }

    private static bool IsEnd(Exception thrown) => thrown is IOException or ObjectDisposedException or InvalidOperationException;

    private async Task<string> WaitAsync(Task errors)
    {
        await _process.WaitForExitAsync();

        // Its group outlives it where user code started children. The number cannot have been given out again so soon.
        NativeProcessApi.KillGroup(Pid);
        RuntimeDiagnosticFiles.RemoveOf(Pid);

        // What it wrote before it had a log file is in the pipe still; a child of a child may hold that open for ever.
        await Task.WhenAny(errors, Task.Delay(TimeSpan.FromMilliseconds(200)));
        var lines = WorkerCrashReport.ReadTail(_logFile).Concat(_errorLines);
        var report = WorkerCrashReport.Describe(_process.ExitCode, lines);
        _process.Dispose();
        return _killedBecause is { } because ? $"{because}\n{report}" : report;
    }

    private async Task RecordErrorOutputAsync(StreamReader reader)
    {
        try
        {
            while (await reader.ReadLineAsync() is { } line)
                RecordOutputLine(line);
        }
        catch (Exception thrown) when (IsEnd(thrown))
        {
            // The pipe went with the process.
        }
    }

    private void RecordOutputLine(string line)
    {
        _errorLines.Enqueue(line);
        if (_errorLines.Count > KeptLines)
            _errorLines.TryDequeue(out _);
    }
}
