using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using ModelMaker;

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
                await FromZeroAsync(options, folder.FullName, isolation, spareWorkers: isolation == "none" ? 0 : 1);
            }

            await FromZeroAsync(options, folder.FullName, "application", spareWorkers: 0);
            await ModelFromZeroAsync(options, folder.FullName);
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

    private static async Task FromZeroAsync(BenchOptions options, string folder, string isolation, int spareWorkers)
    {
        var name = isolation == "none" ? isolation : spareWorkers > 0 ? $"{isolation} with a spare worker" : $"{isolation} without a spare worker";
        await using var serve = Start(folder, $"zero-{isolation}-{spareWorkers}", "deployments/Counter.cs", isolation,
            "autoscaling_config: {min_replicas: 0, max_replicas: 1, downscale_to_zero_delay_s: 0.2}", "--spare-workers", $"{spareWorkers}");
        await serve.WaitForAsync("/app", TimeSpan.FromSeconds(60));
        using var http = Client(serve);
        List<(double Total, double Start)> times = [];
        for (var round = 0; round < 2 * options.Rounds; round++)
        {
            // A new replica starts to count at 1.
            await Task.Delay(TimeSpan.FromSeconds(4));
            using var probe = await http.GetAsync(new Uri("/-/healthz", UriKind.Relative));
            var before = await StartupAsync(serve);
            var started = Stopwatch.GetTimestamp();
            var answer = await http.GetStringAsync("");
            var total = Stopwatch.GetElapsedTime(started).TotalMilliseconds;
            if (answer.Contains(":1}", StringComparison.Ordinal))
                times.Add((total, await StartupAsync(serve) - before));
        }

        Console.WriteLine(times.Count == 0
            ? $"from zero replicas, isolation {name}: FAILED, the replica did not stop"
            : $"from zero replicas to the first byte, isolation {name}: {Median(times.Select(static each => each.Total)):0} ms in the median, slowest {times.Max(static each => each.Total):0} ms, {times.Count} starts; "
                + $"of the median, start of the replica {Median(times.Select(static each => each.Start)):0} ms, report, decision, routes and request {Median(times.Select(static each => each.Total - each.Start)):0} ms");
    }

    // Milliseconds from the decision to start a replica until it serves requests, of all starts.
    private static async Task<double> StartupAsync(BenchContestant serve)
    {
        using var http = new HttpClient();
        const string Name = "serve_replica_startup_latency_ms_sum";
        var text = await http.GetStringAsync($"http://127.0.0.1:{serve.AdminPort}/metrics");
        return text.Split('\n').Where(static line => line.StartsWith(Name, StringComparison.Ordinal)).Sum(static line => double.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture));
    }

    private static async Task ModelFromZeroAsync(BenchOptions options, string folder)
    {
        var file = Path.Combine(folder, "convnet.onnx");
        ConvNet.Write(file);
        var bare = Median(await BareLoadsAsync(file, options.Rounds));
        var body = new InferenceRequestPayloads(folder, "image", 1, 3, ConvNet.ImageSize, ConvNet.ImageSize).Binary();
        foreach (var isolation in (string[])["none", "application"])
        {
            await using var serve = StartConfig(folder, $"model-{isolation}", $"""
                applications:
                  - name: convnet
                    import_path: {file}
                    isolation: {isolation}
                    deployments:
                      - name: convnet
                        autoscaling_config: {"{"}min_replicas: 0, max_replicas: 1, downscale_to_zero_delay_s: 0.5{"}"}
                """);
            await serve.WaitForAsync("/v2/models/convnet/ready", TimeSpan.FromSeconds(60));
            using var http = Client(serve);
            List<(double First, double Second)> times = [];
            for (var round = 0; round < options.Rounds; round++)
            {
                await Task.Delay(TimeSpan.FromSeconds(4));
                times.Add((await InferAsync(), await InferAsync()));
            }

            // The second inference has no load.
            var load = Median(times.Select(static each => each.First - each.Second));
            Console.WriteLine($"a model of {new FileInfo(file).Length / 1e6:0} MB from zero, isolation {isolation}: {load:0} ms more than the next inference; InferenceSession's constructor takes {bare:0} ms (goal: at most {(1.2 * bare) + 50:0} ms)");

            async Task<double> InferAsync()
            {
                using var content = body.ToContent();
                var started = Stopwatch.GetTimestamp();
                using var response = await http.PostAsync(new Uri("/v2/models/convnet/infer", UriKind.Relative), content);
                response.EnsureSuccessStatusCode();
                return Stopwatch.GetElapsedTime(started).TotalMilliseconds;
            }
        }
    }

    private static async Task<List<double>> BareLoadsAsync(string file, int rounds)
    {
        using var process = Process.Start(new ProcessStartInfo("dotnet", ["artifacts/bin/BareOnnx/release/BareOnnx.dll", "--model", file, "--loads", $"{rounds}"])
        {
            WorkingDirectory = BenchOptions.Root,
            RedirectStandardOutput = true,
        })!;
        var text = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(static line => double.Parse(line, CultureInfo.InvariantCulture))];
    }

    private static BenchContestant Start(string folder, string name, string code, string isolation, string scaling, params string[] options) => StartConfig(folder, name, $"""
        applications:
          - name: app
            route_prefix: /app
            import_path: {Path.Combine(BenchOptions.Root, code)}
            isolation: {isolation}
            deployments:
              - name: {Path.GetFileNameWithoutExtension(code)}
                {scaling}
        """, options);

    private static BenchContestant StartConfig(string folder, string name, string text, params string[] options)
    {
        var config = Path.Combine(folder, $"{name}.yaml");
        File.WriteAllText(config, text);
        var (port, admin) = (BenchContestant.FreePort(), BenchContestant.FreePort());
        return BenchContestant.Start(name, port, "./serve", ["run", config, "--http-port", $"{port}", "--admin-port", $"{admin}", "--no-token", .. options]).WithAdminPort(admin);
    }

    private static HttpClient Client(BenchContestant serve) =>
        new(new SocketsHttpHandler { MaxConnectionsPerServer = Callers, UseProxy = false }) { BaseAddress = new($"http://127.0.0.1:{serve.Port}/app") };

    private static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
}
