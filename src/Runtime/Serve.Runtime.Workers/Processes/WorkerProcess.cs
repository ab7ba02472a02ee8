using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace Serve.Runtime.Workers.Processes;

/// <summary>
/// One worker as an operating system process: its start, its pipes, its end. It is reaped before <see cref="Exited"/> completes, and its descendants
/// are killed with it. Knows nothing of actors.
/// </summary>
internal sealed class WorkerProcess
{
    private const int KeptLines = 200;
    private readonly Process _process;
    private readonly string _mark;
    private readonly string _logFile;
    private readonly ConcurrentQueue<string> _errorLines = new();
    private readonly Lock _sending = new();
    private readonly TaskCompletionSource<WorkerReadyMessage?> _listens = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource? _pong;

    // Work items of its thread pool: completed at the last reply, and since the one before.
    private long _completed;
    private long _progress;
    private volatile string? _killedBecause;
    private volatile bool _isReady;

    private WorkerProcess(Process process, string mark, string logFile)
    {
        _process = process;
        _mark = mark;
        _logFile = logFile;
        Pid = process.Id;
        var errors = RecordErrorOutputAsync(process.StandardError);
        Exited = WaitAsync(errors);
    }

    public int Pid { get; }

    /// <summary>Completes with the exit reason. Never fails.</summary>
    public Task<string> Exited { get; }

    public static WorkerProcess Start(IReadOnlyList<string> command, IReadOnlyDictionary<string, string> environment, string logFile)
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
        var mark = DescendantProcesses.Mark(info.Environment);
        return new(Process.Start(info) ?? throw new InvalidOperationException($"{info.FileName} did not start."), mark, logFile);
    }

    /// <summary>Sends the handshake and waits until the worker can be called.</summary>
    /// <exception cref="IOException">It exited, or wrote something else.</exception>
    public async Task<WorkerReadyMessage> PerformHandshakeAsync(WorkerHandshakeMessage handshake, CancellationToken cancellationToken)
    {
        // If it has exited, its output is read in any case: it ends early, and explains why.
        TrySend(JsonSerializer.Serialize(handshake, ServeJson.Options));
        var ready = await ReadReadyAsync(cancellationToken);
        _isReady = true;
        _ = ReadAnswersAsync();
        return ready;
    }

    /// <summary>Makes a worker start its services. Called once.</summary>
    /// <exception cref="IOException">It exited.</exception>
    public async Task<WorkerReadyMessage> ListenAsync(CancellationToken cancellationToken)
    {
        Send(WorkerHandshakeMessage.ListenLine);
        return await _listens.Task.WaitAsync(cancellationToken) ?? throw OutputClosedEarly();
    }

    /// <summary>CPU time that it has used; zero if that cannot be read.</summary>
    public TimeSpan CpuTime
    {
        get
        {
            try
            {
                return _process.TotalProcessorTime;
            }
            catch (Exception thrown) when (thrown is InvalidOperationException or System.ComponentModel.Win32Exception or NotSupportedException)
            {
                return TimeSpan.Zero;
            }
        }
    }

    /// <summary>Whether a signal has stopped it, so that none of its threads runs. Always false where the system does not report it.</summary>
    public bool IsStopped => NativeProcessApi.StateOf(Pid) == 'T';

    /// <summary>Whether its thread pool completed work between its last two replies to pings.</summary>
    public bool MakesProgress => Volatile.Read(ref _progress) != 0;

    /// <summary>Checks whether it is alive. A dedicated thread replies, so a busy process replies too; a frozen one does not.</summary>
    /// <returns>False if it has not replied before the token is canceled, or has exited.</returns>
    public async Task<bool> PingAsync(CancellationToken cancellationToken)
    {
        var answered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Volatile.Write(ref _pong, answered);
        if (!TrySend(WorkerHandshakeMessage.PingLine))
            return false;
        await answered.Task.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return answered.Task.IsCompleted;
    }

    /// <summary>Requests it to stop; does nothing if it has exited.</summary>
    public void RequestStop() => TrySend(WorkerHandshakeMessage.StopLine);

    /// <summary>Kills it and its children.</summary>
    /// <param name="because">Reported as the exit reason; null if the kill is expected.</param>
    public void Kill(string? because = null)
    {
        _killedBecause ??= because;
        if (Exited.IsCompleted)
            return;
        NativeProcessApi.KillGroup(Pid);
        try
        {
            // Also if it has not created its group yet.
            _process.Kill(entireProcessTree: OperatingSystem.IsWindows());
        }
        catch (InvalidOperationException)
        {
            // It has exited.
        }
    }

    private async Task<WorkerReadyMessage> ReadReadyAsync(CancellationToken cancellationToken)
    {
        while (await _process.StandardOutput.ReadLineAsync(cancellationToken) is { } line)
        {
            // A host may print a banner first.
            if (!line.StartsWith('{'))
                RecordOutputLine(line);
            else
                return JsonSerializer.Deserialize<WorkerReadyMessage>(line, ServeJson.Options)!;
        }

        throw OutputClosedEarly();
    }

    private static IOException OutputClosedEarly() => new("The worker closed its output before it was ready.");

    /// <summary>Reads its replies until it exits.</summary>
    private async Task ReadAnswersAsync()
    {
        try
        {
            while (await _process.StandardOutput.ReadLineAsync() is { } line)
            {
                if (line.StartsWith(WorkerHandshakeMessage.PongLine, StringComparison.Ordinal))
                    OnPong(line);
                else if (!line.StartsWith('{'))
                    RecordOutputLine(line);
                else
                    _listens.TrySetResult(JsonSerializer.Deserialize<WorkerReadyMessage>(line, ServeJson.Options));
            }
        }
        catch (Exception thrown) when (IsEnd(thrown))
        {
            // The pipe was closed with the process.
        }

        _listens.TrySetResult(null);
    }

    private void OnPong(string line)
    {
        _ = long.TryParse(line.AsSpan(WorkerHandshakeMessage.PongLine.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var completed);
        Volatile.Write(ref _progress, completed - _completed);
        _completed = completed;
        Volatile.Read(ref _pong)?.TrySetResult();
    }

    // Lines fit the pipe's buffer, so this does not wait for the worker to read.
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
            // It has exited.
            return false;
        }
    }

    private static bool IsEnd(Exception thrown) => thrown is IOException or ObjectDisposedException or InvalidOperationException;

    private async Task<string> WaitAsync(Task errors)
    {
        await _process.WaitForExitAsync();

        // Children of user code outlive it, in its group or in one of their own. The process id cannot have been reused so soon.
        NativeProcessApi.KillGroup(Pid);
        DescendantProcesses.KillAll(_mark);
        RuntimeDiagnosticFiles.RemoveOf(Pid);

        // Output from before it had a log file is still in the pipe; a grandchild may hold that open indefinitely.
        await Task.WhenAny(errors, Task.Delay(TimeSpan.FromMilliseconds(200)));
        var lines = WorkerCrashReport.ReadTail(_logFile).Concat(WorkerCrashReport.ReadTail(WorkerLogFiles.NativeFileOf(_logFile))).Concat(_errorLines);
        var report = WorkerCrashReport.Describe(_process.ExitCode, lines, _isReady);
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
            // The pipe was closed with the process.
        }
    }

    private void RecordOutputLine(string line)
    {
        _errorLines.Enqueue(line);
        if (_errorLines.Count > KeptLines)
            _errorLines.TryDequeue(out _);
    }
}
