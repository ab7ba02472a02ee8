using System.Diagnostics;

namespace Serve.Bench;

/// <summary>Core's own measurements, which run inside a program that uses it.</summary>
internal static class CoreSection
{
    public static async Task RunAsync(BenchOptions options)
    {
        string[] arguments = ["artifacts/bin/Serve.CoreBench/release/Serve.CoreBench.dll", .. options.Rounds < 5 ? ["--quick"] : Array.Empty<string>()];
        using var process = Process.Start(new ProcessStartInfo("dotnet", arguments) { WorkingDirectory = BenchOptions.Root })!;
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
            Console.WriteLine($"{Environment.NewLine}Not every goal was reached.");
    }
}
