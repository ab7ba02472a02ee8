using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;

namespace Serve.Runtime.Workers;

/// <summary>
/// One worker as an operating system process: its start, its pipes, its end. It is reaped before <see cref="Exited"/> completes, and its group
/// is killed with it. Knows nothing of actors.
/// </summary>
internal sealed class WorkerProcess
{
    private const int KeptLines = 200;
    private readonly Process process;
    private readonly string logFile;
    private readonly ConcurrentQueue<string> errorLines = new();
    private readonly Lock sending = new();
    private readonly TaskCompletionSource<WorkerReady?> listens = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource? pong;
    private volatile string? killedBecause;

    private WorkerProcess(Process process, string logFile)
    {
        this.process = process;
        this.logFile = logFile;
        Pid = process.Id;
        var errors = KeepAsync(process.StandardError);
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
        return new(await ProcessForker.StartAsync(info), logFile);
    }

    /// <summary>Tells it who it is and waits until it can be called.</summary>
    /// <exception cref="IOException">It ended, or wrote something else.</exception>
    public async Task<WorkerReady> ShakeHandsAsync(WorkerHandshake handshake, CancellationToken cancellationToken)
    {
        Send(JsonSerializer.Serialize(handshake, ServeJson.Options));
        var ready = await ReadReadyAsync(cancellationToken);
        _ = ReadAnswersAsync();
        return ready;
    }

    /// <summary>Has one that does not listen yet serve HTTP and gRPC. Once.</summary>
    /// <exception cref="IOException">It ended.</exception>
    public async Task<WorkerReady> ListenAsync(CancellationToken cancellationToken)
    {
        Send(WorkerHandshake.ListenLine);
        return await listens.Task.WaitAsync(cancellationToken) ?? throw NeverReady();
    }

    /// <summary>Asks it whether it lives. A thread answers that does nothing else: a process that is busy does too, one that is frozen does not.</summary>
    /// <returns>False when it has not answered by the time that the token fires, or has ended.</returns>
    public async Task<bool> PingAsync(CancellationToken cancellationToken)
    {
        var answered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Volatile.Write(ref pong, answered);
        if (!TrySend(WorkerHandshake.PingLine))
            return false;
        await answered.Task.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return answered.Task.IsCompleted;
    }

    /// <summary>Asks it to end by itself; harmless when it is gone.</summary>
    public void AskToStop() => TrySend(WorkerHandshake.StopLine);

    /// <summary>Kills it and its children.</summary>
    /// <param name="because">Told as the way it ended; null where that is nobody's surprise.</param>
    public void Kill(string? because = null)
    {
        killedBecause ??= because;
        if (Exited.IsCompleted)
            return;
        NativeProcess.KillGroup(Pid);
        try
        {
            // Also when it had not made its group yet.
            process.Kill(entireProcessTree: OperatingSystem.IsWindows());
        }
        catch (InvalidOperationException)
        {
            // It ended first.
        }
    }

    private async Task<WorkerReady> ReadReadyAsync(CancellationToken cancellationToken)
    {
        while (await process.StandardOutput.ReadLineAsync(cancellationToken) is { } line)
        {
            // A host may print a banner of its own first.
            if (line.StartsWith('{'))
                return JsonSerializer.Deserialize<WorkerReady>(line, ServeJson.Options)!;
        }

        throw NeverReady();
    }

    private static IOException NeverReady() => new("The worker closed its output before it was ready.");

    /// <summary>Reads what it answers to orders, until its end.</summary>
    private async Task ReadAnswersAsync()
    {
        try
        {
            while (await process.StandardOutput.ReadLineAsync() is { } line)
            {
                if (line == WorkerHandshake.PongLine)
                    Volatile.Read(ref pong)?.TrySetResult();
                else if (!line.StartsWith('{'))
                    Keep(line);
                else
                    listens.TrySetResult(JsonSerializer.Deserialize<WorkerReady>(line, ServeJson.Options));
            }
        }
        catch (Exception thrown) when (IsEnd(thrown))
        {
            // The pipe went with the process.
        }

        listens.TrySetResult(null);
    }

    // Short enough for the pipe's buffer: it does not wait for the worker to read.
    private void Send(string line)
    {
        lock (sending)
        {
            process.StandardInput.Write(line + "\n");
            process.StandardInput.Flush();
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
        await process.WaitForExitAsync();

        // Its group outlives it where user code started children. The number cannot have been given out again so soon.
        NativeProcess.KillGroup(Pid);
        DiagnosticFiles.RemoveOf(Pid);

        // What it wrote before it had a log file is in the pipe still; a child of a child may hold that open for ever.
        await Task.WhenAny(errors, Task.Delay(TimeSpan.FromMilliseconds(200)));
        var lines = CrashReport.ReadTail(logFile).Concat(errorLines);
        var report = CrashReport.Describe(process.ExitCode, lines);
        process.Dispose();
        return killedBecause is { } because ? $"{because}\n{report}" : report;
    }

    private async Task KeepAsync(StreamReader reader)
    {
        try
        {
            while (await reader.ReadLineAsync() is { } line)
                Keep(line);
        }
        catch (Exception thrown) when (IsEnd(thrown))
        {
            // The pipe went with the process.
        }
    }

    private void Keep(string line)
    {
        errorLines.Enqueue(line);
        if (errorLines.Count > KeptLines)
            errorLines.TryDequeue(out _);
    }
}
