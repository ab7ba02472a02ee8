namespace Serve.Cli.Build;

/// <summary>Identifies what user code is compiled against and with: a newer CLI builds anew.</summary>
internal static class BuildToolVersion
{
    /// <summary>Changes whenever the CLI, the abstractions or the generator change.</summary>
    public static string Text { get; } = PackageContentHash.Of(
        typeof(BuildToolVersion).Module.ModuleVersionId.ToString(),
        typeof(DeploymentAttribute).Module.ModuleVersionId.ToString(),
        Stamp("usercode/Serve.Generators.dll"));

    private static string Stamp(string file)
    {
        var path = Path.Combine(AppContext.BaseDirectory, file);
        return File.Exists(path) ? PackageContentHash.Of([(file, path)]) : "";
    }
}
