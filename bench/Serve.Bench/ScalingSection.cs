using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;

namespace Serve.Bench;

/// <summary>
/// Autoscaling: its cost for requests, the time from a step of the load until new replicas answer, and the time to the first byte of a deployment without replicas.
/// </summary>
internal static class ScalingSection
{
    private const int Callers = 64;

    public static async Task RunAsync(BenchOptions options)
    {
        var folder = Directory.CreateTempSubdirectory("serve-bench-");
        try
        {
            if (WrkLoadGenerator.IsInstalled)
                await CompareAsync(options, folder.FullName);
            else
                Console.WriteLine("wrk is missing (Debian: apt-get install wrk); the comparison is left out.");
            foreach (var isolation in (string[])["none", "application"])
            {
                await StepAsync(options, folder.FullName, isolation);
                await FromZeroAsync(options, folder.FullName, isolation);
            }
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task CompareAsync(BenchOptions options, string folder)
    {
        await using var fixedNumber = Start(folder, "fixed", "deployments/Counter.cs", "none", "num_replicas: 1");
        await using var automatic = Start(folder, "automatic", "deployments/Counter.cs", "none", "autoscaling_config: {min_replicas: 1, max_replicas: 1}");
        foreach (var contestant in (BenchContestant[])[fixedNumber, automatic])
            await contestant.WaitForAsync("/app", TimeSpan.FromSeconds(60));
        List<double> ratios = [];
        for (var round = -1; round < options.Rounds; round++)
        {
            var without = await WrkLoadGenerator.RunAsync($"http://127.0.0.1:{fixedNumber.Port}/app", options.Seconds);
            var with = await WrkLoadGenerator.RunAsync($"http://127.0.0.1:{automatic.Port}/app", options.Seconds);
            if (round >= 0)
                ratios.Add(with.RequestsPerSecond / without.RequestsPerSecond);
        }

        Console.WriteLine($"requests/s with autoscaling against without: {Median(ratios):0.00} x (goal: at least 0.98)");
    }

    private static async Task StepAsync(BenchOptions options, string folder, string isolation)
    {
        List<double> times = [];
        for (var round = 0; round < options.Rounds; round++)
        {
            await using var serve = Start(folder, $"step-{isolation}-{round}", "bench/deployments/Waiter.cs", isolation,
                "autoscaling_config: {min_replicas: 1, max_replicas: 8, target_ongoing_requests: 8, upscale_delay_s: 0}");
            await serve.WaitForAsync("/app", TimeSpan.FromSeconds(60));
            using var http = Client(serve);
            var first = await http.GetStringAsync("");
            using var end = new CancellationTokenSource(TimeSpan.FromSeconds(20));
            var started = Stopwatch.GetTimestamp();
            ConcurrentBag<double> others = [];
            await Task.WhenAll(Enumerable.Range(0, Callers).Select(async _ =>
            {
                while (!end.IsCancellationRequested)
                {
                    if (await http.GetStringAsync("") == first)
                        continue;
                    others.Add(Stopwatch.GetElapsedTime(started).TotalSeconds);
                    await end.CancelAsync();
                }
            }));
            times.Add(others.IsEmpty ? double.PositiveInfinity : others.Min());
        }

        Console.WriteLine($"step from 1 to {Callers} callers until a new replica answers, isolation {isolation}: {Median(times):0.00} s in the median, slowest {times.Max():0.00} s");
    }

    private static async Task FromZeroAsync(BenchOptions options, string folder, string isolation)
    {
        await using var serve = Start(folder, $"zero-{isolation}", "deployments/Counter.cs", isolation,
            "autoscaling_config: {min_replicas: 0, max_replicas: 1, downscale_to_zero_delay_s: 0.2}");
        await serve.WaitForAsync("/app", TimeSpan.FromSeconds(60));
        using var http = Client(serve);
        List<double> times = [];
        for (var round = 0; round < options.Rounds; round++)
        {
            // A new replica starts to count at 1.
            await Task.Delay(TimeSpan.FromSeconds(2));
            using var probe = await http.GetAsync(new Uri("/-/healthz", UriKind.Relative));
            var started = Stopwatch.GetTimestamp();
            var answer = await http.GetStringAsync("");
            if (answer.Contains(":1}", StringComparison.Ordinal))
                times.Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
        }

        Console.WriteLine(times.Count == 0
            ? $"from zero replicas, isolation {isolation}: FAILED, the replica did not stop"
            : $"from zero replicas to the first byte, isolation {isolation}: {Median(times):0} ms in the median, slowest {times.Max():0} ms, {times.Count} starts");
    }

    private static BenchContestant Start(string folder, string name, string code, string isolation, string scaling)
    {
        var config = Path.Combine(folder, $"{name}.yaml");
        File.WriteAllText(config, $"""
            applications:
              - name: app
                route_prefix: /app
                import_path: {Path.Combine(BenchOptions.Root, code)}
                isolation: {isolation}
                deployments:
                  - name: {Path.GetFileNameWithoutExtension(code)}
                    {scaling}
            """);
        var port = BenchContestant.FreePort();
        return BenchContestant.Start(name, port, "./serve", "run", config, "--http-port", port.ToString(CultureInfo.InvariantCulture), "--admin-port", "0");
    }

    private static HttpClient Client(BenchContestant serve) =>
        new(new SocketsHttpHandler { MaxConnectionsPerServer = Callers, UseProxy = false }) { BaseAddress = new($"http://127.0.0.1:{serve.Port}/app") };

    private static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
}
