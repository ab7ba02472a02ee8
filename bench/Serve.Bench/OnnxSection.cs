using System.Diagnostics;

namespace Serve.Bench;

/// <summary>The models' own measurements, which run inside a program that has them.</summary>
internal static class OnnxSection
{
    public static async Task RunAsync(BenchOptions options)
    {
        string[] arguments = ["artifacts/bin/Serve.OnnxBench/release/Serve.OnnxBench.dll", .. options.Rounds < 5 ? ["--quick"] : Array.Empty<string>()];
        using var process = Process.Start(new ProcessStartInfo("dotnet", arguments) { WorkingDirectory = BenchOptions.Root })!;
        await process.WaitForExitAsync();
    }
}
