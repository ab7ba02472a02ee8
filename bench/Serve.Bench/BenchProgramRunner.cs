using System.Diagnostics;

namespace Serve.Bench;

/// <summary>Runs a measurement that is a program of its own.</summary>
internal static class BenchProgramRunner
{
    public static async Task<int> RunAsync(string name, BenchOptions options)
    {
        string[] arguments = [$"artifacts/bin/{name}/release/{name}.dll", .. options.Rounds < 5 ? ["--quick"] : Array.Empty<string>()];
        using var process = Process.Start(new ProcessStartInfo("dotnet", arguments) { WorkingDirectory = BenchOptions.Root })!;
        await process.WaitForExitAsync();
        return process.ExitCode;
    }
}
