namespace Serve.Repository.Tests;

/// <summary>The files of the repository that these tests were built from.</summary>
internal static class RepositoryFiles
{
    private static readonly string[] OutputFolders = ["artifacts", "bin", "obj", "node_modules", ".git"];

    public static string Root { get; } = FindRoot();

    /// <summary>Returns the files below a folder, relative to the root with forward slashes, without build output.</summary>
    public static IEnumerable<string> Below(string folder, string pattern)
    {
        var start = Path.Combine(Root, folder);
        return Directory.EnumerateFiles(start, pattern, SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(Root, file).Replace('\\', '/'))
            .Where(file => !file.Split('/').Intersect(OutputFolders).Any())
            .Order(StringComparer.Ordinal);
    }

    public static string Read(string file) => File.ReadAllText(Path.Combine(Root, file));

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Serve.sln")))
            folder = folder.Parent ?? throw new InvalidOperationException("The tests must run inside the repository.");
        return folder.FullName;
    }
}
