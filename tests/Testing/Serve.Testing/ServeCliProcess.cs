using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Serve.Testing;

/// <summary>A process of the CLI, whose output can be awaited and which is always reaped.</summary>
public sealed class ServeCliProcess : IAsyncDisposable
{
    public const int Interrupt = 2;
    public const int Kill = 9;
    public const int Terminate = 15;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly Process _process;
    private readonly List<string> _output = [];
    private readonly List<string> _errors = [];

    private ServeCliProcess(Process process) => _process = process;

    public int Id => _process.Id;

    public bool HasExited => _process.HasExited;

    public string Output => Joined(_output);

    public string Errors => Joined(_errors);

    public static ServeCliProcess Start(ScratchDirectory scratch, params IEnumerable<string> arguments)
    {
        // A separate session, as in a terminal, so that signals can be sent to the whole group. SIGINT is reset to its default,
        // because the test runner may ignore it.
        var start = new ProcessStartInfo("env", ["--default-signal=INT", "setsid", .. scratch.Launcher, ServeExecutable.Path])
        {
            WorkingDirectory = scratch.Path,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        // The runtime that runs the tests.
        start.Environment["DOTNET_ROOT"] = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "../../.."));
        start.Environment["TMPDIR"] = scratch.Temporary;
        start.Environment["XDG_STATE_HOME"] = scratch.In("xdg");
        start.Environment.Remove("SERVE_ADDRESS");
        start.Environment.Remove("SERVE_TOKEN_FILE");
        var started = new ServeCliProcess(new Process { StartInfo = start });
        started._process.OutputDataReceived += (_, e) => started.Keep(started._output, e.Data);
        started._process.ErrorDataReceived += (_, e) => started.Keep(started._errors, e.Data);
        started._process.Start();
        started._process.BeginOutputReadLine();
        started._process.BeginErrorReadLine();
        return started;
    }

    /// <summary>Runs the CLI until it exits.</summary>
    public static async Task<(int Code, string Output, string Errors)> RunAsync(ScratchDirectory scratch, params IEnumerable<string> arguments)
    {
        await using var process = Start(scratch, arguments);
        var code = await process.WaitForExitAsync();
        return (code, process.Output, process.Errors);
    }

    /// <summary>Waits for a line on standard output and returns the text after its beginning.</summary>
    public async Task<string> WaitForLineAsync(string beginning)
    {
        string? found = null;
        await Eventually.TrueAsync(
            () =>
            {
                lock (_output)
                    found = _output.Find(line => line.StartsWith(beginning, StringComparison.Ordinal));
                if (found is null && _process.HasExited)
                    Assert.Fail($"ended with {_process.ExitCode} before '{beginning}':\n{this}");
                return Task.FromResult(found is not null);
            },
            () => $"a line '{beginning}…' in\n{this}",
            Patience);
        return found![beginning.Length..].Trim();
    }

    public void Signal(int signal) => Assert.Equal(0, PosixSignals.Kill(_process.Id, signal));

    /// <summary>Sends a signal to the process group, as a terminal does on Ctrl+C.</summary>
    public void SignalGroup(int signal) => Assert.Equal(0, PosixSignals.Kill(-_process.Id, signal));

    /// <summary>Like <see cref="SignalGroup"/>; false if the process has exited.</summary>
    public bool TrySignalGroup(int signal) => !_process.HasExited && PosixSignals.Kill(-_process.Id, signal) == 0;

    public async Task<int> WaitForExitAsync(TimeSpan? within = null)
    {
        using var limit = new CancellationTokenSource(within ?? Patience);
        try
        {
            await _process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            Assert.Fail($"did not end:\n{this}");
        }

        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    public override string ToString() => $"--- out\n{Output}\n--- err\n{Errors}";

    public static void SignalTo(int pid, int signal) => Assert.Equal(0, PosixSignals.Kill(pid, signal));

    private static string Joined(List<string> lines)
    {
        lock (lines)
            return string.Join('\n', lines);
    }

    private void Keep(List<string> lines, string? line)
    {
        lock (lines)
        {
            if (line is not null)
                lines.Add(line);
        }
    }
}

/// <summary>POSIX functions that .NET does not offer.</summary>
internal static partial class PosixSignals
{
    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    public static partial int Kill(int pid, int signal);
}
