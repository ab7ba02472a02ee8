using System.Diagnostics;

namespace Serve.Bench;

/// <summary>A Node.js server with Fastify and onnxruntime-node, installed once below artifacts/.</summary>
internal static class NodeJsContestant
{
    private const string Source = "bench/contestants/node";

    /// <summary>Starts the server.</summary>
    /// <returns>Null, with a message, if npm is missing or cannot install.</returns>
    public static async Task<BenchContestant?> StartAsync(string name, string model, string modelName)
    {
        var folder = Path.Combine(BenchOptions.Root, "artifacts", "bench-node");
        if (!await InstallAsync(folder))
        {
            Console.WriteLine("Node.js with Fastify and onnxruntime-node is missing (npm is not there, or could not install them); left out.");
            return null;
        }

        var port = BenchContestant.FreePort();
        return BenchContestant.Start(name, port, "node", [$"{Source}/infer.js", folder, $"{port}", model, modelName]);
    }

    private static async Task<bool> InstallAsync(string folder)
    {
        if (!Environment.GetEnvironmentVariable("PATH")!.Split(':').Any(each => File.Exists(Path.Combine(each, "npm"))))
            return false;
        var wanted = await File.ReadAllTextAsync($"{Source}/package.json");
        var package = Path.Combine(folder, "package.json");
        var done = Path.Combine(folder, "installed.json");
        if (File.Exists(done) && await File.ReadAllTextAsync(done) == wanted)
            return true;
        Directory.CreateDirectory(folder);
        await File.WriteAllTextAsync(package, wanted);
        var start = new ProcessStartInfo("npm", ["install", "--no-audit", "--no-fund", "--loglevel", "error"])
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            // The package contains the CPU library; the CUDA library would be downloaded.
            Environment = { ["ONNXRUNTIME_NODE_INSTALL_CUDA"] = "skip" },
        };
        using var process = Process.Start(start)!;
        await Task.WhenAll(process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        if (process.ExitCode == 0)
            await File.WriteAllTextAsync(done, wanted);
        return process.ExitCode == 0;
    }
}
