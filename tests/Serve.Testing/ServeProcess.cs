using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Serve.Testing;

/// <summary>One process of the CLI: started, waited for by what it prints, and always reaped.</summary>
public sealed class ServeProcess : IAsyncDisposable
{
    public const int Interrupt = 2;
    public const int Kill = 9;
    public const int Terminate = 15;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly Process process;
    private readonly List<string> output = [];
    private readonly List<string> errors = [];

    private ServeProcess(Process process) => this.process = process;

    public int Id => process.Id;

    public bool HasExited => process.HasExited;

    public string Output => Joined(output);

    public string Errors => Joined(errors);

    public static ServeProcess Start(Scratch scratch, params IEnumerable<string> arguments)
    {
        // A session of its own, as a terminal would give it, so that its whole group can be sent a signal; and Ctrl+C must not be ignored
        // only because whoever runs the tests ignores it.
        var start = new ProcessStartInfo("env", ["--default-signal=INT", "setsid", ServeBinary.Path])
        {
            WorkingDirectory = scratch.Path,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        // The runtime these tests run on, wherever it is installed.
        start.Environment["DOTNET_ROOT"] = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "../../.."));
        start.Environment["TMPDIR"] = scratch.Temporary;
        start.Environment["XDG_STATE_HOME"] = scratch.In("xdg");
        start.Environment.Remove("SERVE_ADDRESS");
        start.Environment.Remove("SERVE_TOKEN_FILE");
        var started = new ServeProcess(new Process { StartInfo = start });
        started.process.OutputDataReceived += (_, e) => started.Keep(started.output, e.Data);
        started.process.ErrorDataReceived += (_, e) => started.Keep(started.errors, e.Data);
        started.process.Start();
        started.process.BeginOutputReadLine();
        started.process.BeginErrorReadLine();
        return started;
    }

    /// <summary>Runs to its end.</summary>
    public static async Task<(int Code, string Output, string Errors)> RunAsync(Scratch scratch, params IEnumerable<string> arguments)
    {
        await using var process = Start(scratch, arguments);
        var code = await process.ExitAsync();
        return (code, process.Output, process.Errors);
    }

    /// <summary>Waits for a line on standard output and returns what follows its beginning.</summary>
    public async Task<string> LineAsync(string beginning)
    {
        string? found = null;
        await Eventually.TrueAsync(
            () =>
            {
                lock (output)
                    found = output.Find(line => line.StartsWith(beginning, StringComparison.Ordinal));
                if (found is null && process.HasExited)
                    Assert.Fail($"ended with {process.ExitCode} before '{beginning}':\n{this}");
                return Task.FromResult(found is not null);
            },
            () => $"a line '{beginning}…' in\n{this}",
            Patience);
        return found![beginning.Length..].Trim();
    }

    public void Signal(int signal) => Assert.Equal(0, Native.Kill(process.Id, signal));

    /// <summary>Sends a signal to the process and all of its group, as a terminal does on Ctrl+C.</summary>
    public void SignalGroup(int signal) => Assert.Equal(0, Native.Kill(-process.Id, signal));

    /// <summary>As <see cref="SignalGroup"/>; false when there is nobody left.</summary>
    public bool TrySignalGroup(int signal) => !process.HasExited && Native.Kill(-process.Id, signal) == 0;

    public async Task<int> ExitAsync(TimeSpan? within = null)
    {
        using var limit = new CancellationTokenSource(within ?? Patience);
        try
        {
            await process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            Assert.Fail($"did not end:\n{this}");
        }

        return process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
            process.Kill(entireProcessTree: true);
        await process.WaitForExitAsync();
        process.Dispose();
    }

    public override string ToString() => $"--- out\n{Output}\n--- err\n{Errors}";

    public static void SignalTo(int pid, int signal) => Assert.Equal(0, Native.Kill(pid, signal));

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
