using System.Collections.Concurrent;
using System.Diagnostics;

namespace Serve.Bench;

/// <summary>64 connections without pause while the application's worker is killed every 5 s: only requests in progress on it may fail.</summary>
internal static class WorkerKillSection
{
    private const int Connections = 64;

    public static async Task RunAsync(BenchOptions options)
    {
        await using var serve = BenchContestant.Serve("serve", "deployments/Counter.cs", "application");
        await serve.WaitForAsync("/Counter", TimeSpan.FromSeconds(60));
        using var http = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = Connections, UseProxy = false }) { Timeout = TimeSpan.FromSeconds(30) };
        using var end = new CancellationTokenSource(TimeSpan.FromSeconds(options.KillSeconds));
        var answers = new ConcurrentDictionary<string, int>();
        var slowest = TimeSpan.Zero;
        var url = new Uri($"http://127.0.0.1:{serve.Port}/Counter");
        var clients = Enumerable.Range(0, Connections).Select(async _ =>
        {
            while (!end.IsCancellationRequested)
            {
                var started = Stopwatch.GetTimestamp();
                var answer = await AskAsync(http, url);
                answers.AddOrUpdate(answer, 1, (_, count) => count + 1);
                var elapsed = Stopwatch.GetElapsedTime(started);
                if (elapsed > slowest)
                    slowest = elapsed;
            }
        }).ToArray();

        var kills = 0;
        while (!end.IsCancellationRequested)
        {
            try
            {
                await Task.Delay(TimeSpan.FromSeconds(5), end.Token);
            }
            catch (OperationCanceledException)
            {
                break;
            }

            foreach (var worker in ChildProcessFinder.ChildrenOf(serve.ProcessId))
            {
                using var kill = Process.Start("kill", ["-KILL", $"{worker}"]);
                await kill.WaitForExitAsync();
                kills++;
            }
        }

        await Task.WhenAll(clients);
        Console.WriteLine($"{kills} kills in {options.KillSeconds} s; slowest response {slowest.TotalMilliseconds:0} ms");
        foreach (var (answer, count) in answers.OrderByDescending(pair => pair.Value))
            Console.WriteLine($"  {count,10:N0}  {answer}");
        var died = answers.GetValueOrDefault("502 replica_died");
        var other = answers.Where(pair => pair.Key is not ("200" or "502 replica_died")).Sum(pair => pair.Value);
        Console.WriteLine(other == 0 && died <= kills * Connections
            ? $"only requests in progress failed: {died} of at most {kills * Connections}"
            : $"FAILED: {other} responses that are neither 200 nor 502 replica_died, {died} died");
    }

    private static async Task<string> AskAsync(HttpClient http, Uri url)
    {
        try
        {
            using var response = await http.GetAsync(url);
            if (response.IsSuccessStatusCode)
                return "200";
            var body = await response.Content.ReadAsStringAsync();
            return $"{(int)response.StatusCode} {(body.Contains("\"replica_died\"", StringComparison.Ordinal) ? "replica_died" : body)}";
        }
        catch (Exception error) when (error is HttpRequestException or TaskCanceledException)
        {
            return error.GetBaseException().Message;
        }
    }
}
