using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Serve.Bench;

/// <summary>Runs wrk, the load generator, and reads its report.</summary>
internal static partial class WrkLoadGenerator
{
    public static bool IsInstalled => Environment.GetEnvironmentVariable("PATH")!.Split(':').Any(folder => File.Exists(Path.Combine(folder, "wrk")));

    /// <param name="url">URL of the requests.</param>
    /// <param name="seconds">Duration.</param>
    /// <param name="connections">Concurrent connections.</param>
    /// <param name="script">Lua script of the request; GET without a script.</param>
    public static async Task<WrkReport> RunAsync(string url, int seconds, int connections = 32, string? script = null)
    {
        // Responses that exceed the limit would be missing from the percentiles.
        string[] arguments = ["-t1", $"-c{connections}", $"-d{seconds}s", "--timeout", "60s", "--latency", .. script is null ? Array.Empty<string>() : ["-s", script], url];
        var start = new ProcessStartInfo("wrk", arguments) { RedirectStandardOutput = true };
        using var process = Process.Start(start)!;
        var text = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        var failed = FailedPattern().Match(text);
        return new(
            double.Parse(RatePattern().Match(text).Groups[1].Value, CultureInfo.InvariantCulture),
            Milliseconds(text, "50%"),
            Milliseconds(text, "99%"),
            failed.Success ? int.Parse(failed.Groups[1].Value, CultureInfo.InvariantCulture) : 0);
    }

    private static double Milliseconds(string text, string percentile)
    {
        var match = Regex.Match(text, Regex.Escape(percentile) + @"\s+([\d.]+)(us|ms|s)\b");
        var value = double.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture);
        return match.Groups[2].Value switch { "us" => value / 1000, "ms" => value, _ => value * 1000 };
    }

    [GeneratedRegex(@"Requests/sec:\s+([\d.]+)")]
    private static partial Regex RatePattern();

    [GeneratedRegex(@"Non-2xx or 3xx responses: (\d+)")]
    private static partial Regex FailedPattern();
}

/// <summary>Result of one wrk run.</summary>
internal sealed record WrkReport(double RequestsPerSecond, double P50Ms, double P99Ms, int Failed);
