using System.Diagnostics;
using System.Text.Json;

namespace Serve.Repository.Tests;

/// <summary>The two builds of ONNX Runtime: each has its own package and its own output folder, so that one never overwrites a running node of the other.</summary>
public sealed class OnnxFlavourTests
{
    [Theory]
    [InlineData("Cpu", "Microsoft.ML.OnnxRuntime", "artifacts")]
    [InlineData("Gpu", "Microsoft.ML.OnnxRuntime.Gpu", "artifacts/gpu")]
    public async Task Evaluate_Flavour_OwnPackageAndOutputFolder(string flavour, string package, string artifacts)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, WorkingDirectory = RepositoryFiles.Root };
        foreach (var argument in new[]
        {
            "msbuild", "src/Runtime/Serve.Runtime.Onnx/Serve.Runtime.Onnx.csproj", "-nologo", "-getProperty:ArtifactsPath", "-getItem:PackageReference", $"-p:OnnxRuntime={flavour}",
        })
        {
            start.ArgumentList.Add(argument);
        }

        using var process = Process.Start(start)!;
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();

        using var json = JsonDocument.Parse(output);
        var packages = json.RootElement.GetProperty("Items").GetProperty("PackageReference").EnumerateArray().Select(item => item.GetProperty("Identity").GetString()!);
        Assert.Equal(Path.Combine(RepositoryFiles.Root, artifacts), json.RootElement.GetProperty("Properties").GetProperty("ArtifactsPath").GetString());
        // The package for all systems contains the files for Windows, too.
        Assert.Equal(
            package + (flavour == "Gpu" && OperatingSystem.IsLinux() ? ".Linux" : ""),
            Assert.Single(packages, name => name.StartsWith("Microsoft.ML.OnnxRuntime", StringComparison.Ordinal)));
    }
}
