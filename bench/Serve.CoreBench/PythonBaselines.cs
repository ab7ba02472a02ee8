using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace Serve.CoreBench;

/// <summary>What Python's own pool and Dask take for the same, where they are installed; measured once, before ours.</summary>
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
            // Debian's packages are seen by Debian's Python alone, which need not be the first.
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

    /// <summary>How many times as much as the peer's rate.</summary>
    public string Against(string name, double ours, string who, bool first = false) =>
        _values.TryGetValue(name, out var value) ? $"{(first ? "" : ", ")}{BenchmarkReport.Times(ours / value)} {who}" : "";

    /// <summary>How many times as fast, where both are times.</summary>
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
