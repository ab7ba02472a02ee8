using System.Diagnostics;

namespace Serve.Bench;

/// <summary>Runs a measurement in a separate program, which fails if a goal was missed.</summary>
internal static class BenchProgramRunner
{
    public static async Task RunAsync(string name, BenchOptions options)
    {
        string[] arguments = [$"artifacts/bin/{name}/release/{name}.dll", .. options.Rounds < 5 ? ["--quick"] : Array.Empty<string>()];
        using var process = Process.Start(new ProcessStartInfo("dotnet", arguments) { WorkingDirectory = BenchOptions.Root })!;
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
            Console.WriteLine($"{Environment.NewLine}Not all goals were reached.");
    }
}
