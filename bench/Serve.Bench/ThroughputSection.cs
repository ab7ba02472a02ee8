using System.Diagnostics;

namespace Serve.Bench;

/// <summary>The same JSON counter behind each server, measured once per round so that noise affects all of them.</summary>
internal static class ThroughputSection
{
    private const string Kestrel = "bare Kestrel minimal API";
    private const string Yarp = "bare YARP in front of it";
    private const string Nginx = "nginx in front of it";
    private const string FastApi = "FastAPI on uvicorn, 1 worker";
    private const string OursNone = "serve, isolation none";
    private const string OursApplication = "serve, isolation application";

    public static async Task RunAsync(BenchOptions options)
    {
        if (!WrkLoadGenerator.IsInstalled)
        {
            Console.WriteLine("wrk is missing (Debian: apt-get install wrk); left out.");
            return;
        }

        var contestants = new List<BenchContestant>();
        var folder = Directory.CreateTempSubdirectory("serve-bench-");
        try
        {
            contestants.Add(BenchContestant.DotNet(Kestrel, BenchContestant.FreePort(), "BareKestrel"));
            contestants.Add(BenchContestant.DotNet(Yarp, BenchContestant.FreePort(), "BareYarp", "--destination", $"http://127.0.0.1:{contestants[0].Port}"));
            AddNginx(contestants, folder.FullName);
            AddFastApi(contestants);
            contestants.Add(BenchContestant.Serve(OursNone, "deployments/Counter.cs", "none"));
            contestants.Add(BenchContestant.Serve(OursApplication, "deployments/Counter.cs", "application"));
            foreach (var contestant in contestants)
                await contestant.WaitForAsync("/Counter", TimeSpan.FromSeconds(60));

            var reports = contestants.ToDictionary(contestant => contestant.Name, _ => new List<WrkReport>());
            for (var round = -1; round < options.Rounds; round++)
            {
                foreach (var contestant in contestants)
                {
                    var report = await WrkLoadGenerator.RunAsync($"http://127.0.0.1:{contestant.Port}/Counter", options.Seconds);
                    // The first round is a warm-up for tiered compilation.
                    if (round >= 0)
                        reports[contestant.Name].Add(report);
                }
            }

            Print(reports);
        }
        finally
        {
            foreach (var contestant in contestants)
                await contestant.DisposeAsync();
            folder.Delete(recursive: true);
        }
    }

    private static void Print(Dictionary<string, List<WrkReport>> reports)
    {
        Console.WriteLine("| contestant | requests/s | p50 ms | p99 ms | failed | requests/s against its peer | p99 against its peer |");
        Console.WriteLine("| --- | --- | --- | --- | --- | --- | --- |");
        foreach (var (name, runs) in reports)
        {
            var peer = name switch { OursNone => Kestrel, OursApplication => Yarp, _ => null };
            // Ratios are computed within a round, where both had the same noise; their median is quoted.
            var rate = peer is null ? "" : $"{Median(runs.Zip(reports[peer], (ours, theirs) => ours.RequestsPerSecond / theirs.RequestsPerSecond)):0.00} of {peer}";
            var p99 = peer is null ? "" : $"{Median(runs.Zip(reports[peer], (ours, theirs) => ours.P99Ms / theirs.P99Ms)):0.00} ×";
            Console.WriteLine(
                $"| {name} | {Median(runs.Select(run => run.RequestsPerSecond)):N0} | {Median(runs.Select(run => run.P50Ms)):0.00} | " +
                $"{Median(runs.Select(run => run.P99Ms)):0.00} | {runs.Sum(run => run.Failed)} | {rate} | {p99} |");
        }
    }

    private static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }

    private static void AddNginx(List<BenchContestant> contestants, string folder)
    {
        if (!File.Exists("/usr/sbin/nginx"))
        {
            Console.WriteLine("nginx is missing (Debian: nginx-light); left out.");
            return;
        }

        var port = BenchContestant.FreePort();
        var config = File.ReadAllText("bench/contestants/nginx/nginx.conf.template")
            .Replace("@FOLDER@", folder, StringComparison.Ordinal)
            .Replace("@PORT@", $"{port}", StringComparison.Ordinal)
            .Replace("@DESTINATION@", $"{contestants[0].Port}", StringComparison.Ordinal);
        File.WriteAllText(Path.Combine(folder, "nginx.conf"), config);
        contestants.Add(BenchContestant.Start(Nginx, port, "/usr/sbin/nginx", ["-p", folder, "-c", Path.Combine(folder, "nginx.conf")]));
    }

    private static void AddFastApi(List<BenchContestant> contestants)
    {
        const string Python = "/usr/bin/python3";
        using var probe = File.Exists(Python)
            ? Process.Start(new ProcessStartInfo(Python, ["-c", "import fastapi, uvicorn"]) { RedirectStandardError = true })
            : null;
        probe?.WaitForExit();
        if (probe?.ExitCode != 0)
        {
            Console.WriteLine("FastAPI or uvicorn is missing (Debian: python3-fastapi python3-uvicorn); left out.");
            return;
        }

        var port = BenchContestant.FreePort();
        contestants.Add(BenchContestant.Start(FastApi, port, Python,
            ["-m", "uvicorn", "--app-dir", "bench/contestants/fastapi", "--port", $"{port}", "--log-level", "warning", "--no-access-log", "counter:app"]));
    }
}
