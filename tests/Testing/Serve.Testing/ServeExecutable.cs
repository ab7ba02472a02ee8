namespace Serve.Testing;

/// <summary>The executable under test: the CLI that was built together with the tests.</summary>
public static class ServeExecutable
{
    public static string Path { get; } = Find();

    /// <summary>Root of the repository, four levels above artifacts/bin/Serve.SomeTests/release/.</summary>
    public static string Root { get; } = System.IO.Path.GetFullPath("../../../..", AppContext.BaseDirectory);

    public static string Sample(string name) => System.IO.Path.Combine(AppContext.BaseDirectory, "Samples", name);

    private static string Find()
    {
        // artifacts/bin/Serve.SomeTests/release/ -> artifacts/bin/Serve.Cli/release/serve
        var here = new DirectoryInfo(AppContext.BaseDirectory);
        var path = System.IO.Path.Combine(here.Parent!.Parent!.FullName, "Serve.Cli", here.Name, OperatingSystem.IsWindows() ? "serve.exe" : "serve");
        return File.Exists(path) ? path : throw new FileNotFoundException("The CLI is not built.", path);
    }
}
