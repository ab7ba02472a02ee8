using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace Serve.CoreBench;

/// <summary>The same measurements with Python's multiprocessing pool and Dask, if installed; run once, before the other rows.</summary>
internal sealed class PythonBaselines
{
    private const string Missing = "not installed";
    private readonly Dictionary<string, double> _values = [];

    public static async Task<PythonBaselines> RunAsync(BenchmarkScale scale, bool skip)
    {
        var peers = new PythonBaselines();
        if (skip)
            return peers;
        foreach (var part in new[] { "multiprocessing", "dask" })
        {
            // Packages of Debian are visible to Debian's Python only, which may not be the first on the PATH.
            foreach (var python in new[] { "python3", "/usr/bin/python3" })
            {
                if (await peers.TryAsync(python, part, scale))
                    break;
            }
        }

        return peers;
    }

    public string Rate(string name) => _values.TryGetValue(name, out var value) ? BenchmarkReport.Rate(value) : Missing;

    public string Value(string name) => _values.TryGetValue(name, out var value) ? BenchmarkReport.Number(value) : Missing;

    /// <summary>Ratio to the peer's rate.</summary>
    public string Against(string name, double ours, string who, bool first = false) =>
        _values.TryGetValue(name, out var value) ? $"{(first ? "" : ", ")}{BenchmarkReport.Times(ours / value)} {who}" : "";

    /// <summary>Ratio of the peer's duration to ours.</summary>
    public string Inverse(string name, double ours, string who) =>
        _values.TryGetValue(name, out var value) ? $"{BenchmarkReport.Times(value / ours)} faster than {who}" : "";

    private async Task<bool> TryAsync(string python, string part, BenchmarkScale scale)
    {
        var start = new ProcessStartInfo(python, ["bench/contestants/python/core.py", part, scale.IsQuick ? "quick" : "full"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        try
        {
            using var process = Process.Start(start)!;
            var errors = process.StandardError.ReadToEndAsync();
            var output = await process.StandardOutput.ReadToEndAsync();
            await process.WaitForExitAsync();
            if (process.ExitCode != 0)
            {
                if (!(await errors).Contains("ModuleNotFoundError", StringComparison.Ordinal))
                    Console.Error.WriteLine(await errors);
                return false;
            }

            foreach (var (name, value) in JsonSerializer.Deserialize<Dictionary<string, double>>(output.Trim().Split('\n')[^1])!)
            {
                _values[name] = value;
                Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {part} {name}: {value:0.###}"));
            }

            return true;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }
}
