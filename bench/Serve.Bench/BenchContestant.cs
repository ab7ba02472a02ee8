using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Serve.Bench;

/// <summary>A measured server process.</summary>
internal sealed class BenchContestant : IAsyncDisposable
{
    private readonly Process _process;
    private readonly Queue<string> _lastErrors = new();

    private BenchContestant(string name, int port, Process process)
    {
        Name = name;
        Port = port;
        _process = process;
    }

    public string Name { get; }

    public int Port { get; }

    /// <summary>Port of the admin API; 0 if it is not known.</summary>
    public int AdminPort { get; private set; }

    public int ProcessId => _process.Id;

    public BenchContestant WithAdminPort(int port)
    {
        AdminPort = port;
        return this;
    }

    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    public static BenchContestant Start(string name, int port, string file, params IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(file, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = BenchOptions.Root,
        };
        var process = Process.Start(start) ?? throw new InvalidOperationException($"{file} did not start");
        process.OutputDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        var contestant = new BenchContestant(name, port, process);
        process.ErrorDataReceived += (_, line) => contestant.Keep(line.Data);
        process.BeginErrorReadLine();
        return contestant;
    }

    public static BenchContestant DotNet(string name, int port, string project, params IEnumerable<string> arguments) => Start(
        name, port, "dotnet",
        [$"artifacts/bin/{project}/release/{project}.dll", "--urls", $"http://127.0.0.1:{port}", .. arguments]);

    /// <summary>Starts Serve through its launcher.</summary>
    public static BenchContestant Serve(string name, string target, string isolation, params IEnumerable<string> arguments)
    {
        var port = FreePort();
        return Start(name, port, "./serve",
            ["run", target, "--http-port", $"{port}", "--admin-port", "0", "--isolation", isolation, .. arguments]);
    }

    public async Task<TimeSpan> WaitForAsync(string path, TimeSpan limit)
    {
        using var client = new HttpClient { BaseAddress = new($"http://127.0.0.1:{Port}"), Timeout = TimeSpan.FromSeconds(2) };
        var watch = Stopwatch.StartNew();
        while (watch.Elapsed < limit)
        {
            if (_process.HasExited)
                throw new InvalidOperationException($"{Name} exited with {_process.ExitCode}: {LastErrors()}");
            try
            {
                using var response = await client.GetAsync(new Uri(path, UriKind.Relative));
                if (response.IsSuccessStatusCode)
                    return watch.Elapsed;
            }
            catch (Exception error) when (error is HttpRequestException or TaskCanceledException)
            {
                // Not listening yet.
            }

            await Task.Delay(5);
        }

        throw new TimeoutException($"{Name} did not answer {path} within {limit}: {LastErrors()}");
    }

    /// <summary>Waits until the process is idle.</summary>
    public async Task IdleAsync(TimeSpan limit)
    {
        var watch = Stopwatch.StartNew();
        for (var before = ProcessorTime(); watch.Elapsed < limit;)
        {
            await Task.Delay(200);
            var now = ProcessorTime();
            if ((now - before).TotalMilliseconds < 20)
                return;
            before = now;
        }
    }

    /// <summary>CPU time of the process and its workers.</summary>
    public TimeSpan ProcessorTime()
    {
        var sum = TimeSpan.Zero;
        foreach (var id in (int[])[_process.Id, .. ChildProcessFinder.ChildrenOf(_process.Id)])
        {
            using var each = Process.GetProcessById(id);
            sum += each.TotalProcessorTime;
        }

        return sum;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            // A launcher that is killed while it builds leaves its build, which holds the output open.
            int[] children = [.. ChildProcessFinder.ChildrenOf(_process.Id)];
            using var kill = Process.Start("kill", ["-TERM", $"{_process.Id}"]);
            await kill.WaitForExitAsync();
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(15));
            try
            {
                await _process.WaitForExitAsync(patience.Token);
            }
            catch (OperationCanceledException)
            {
                Console.Error.WriteLine($"{Name} did not stop within 15 s and is killed");
                _process.Kill(entireProcessTree: true);
                foreach (var child in children)
                    KillTree(child);
                await _process.WaitForExitAsync();
            }
        }

        _process.Dispose();
    }

    private static void KillTree(int processId)
    {
        try
        {
            using var process = Process.GetProcessById(processId);
            process.Kill(entireProcessTree: true);
        }
        catch (ArgumentException)
        {
            // It has exited.
        }
    }

    private void Keep(string? line)
    {
        lock (_lastErrors)
        {
            if (line is not null)
                _lastErrors.Enqueue(line);
            if (_lastErrors.Count > 10)
                _lastErrors.Dequeue();
        }
    }

    private string LastErrors()
    {
        lock (_lastErrors)
            return string.Join(Environment.NewLine, _lastErrors);
    }
}
