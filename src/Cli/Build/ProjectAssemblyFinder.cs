namespace Serve.Cli.Build;

/// <summary>Finds a project's own assembly among what its build put out.</summary>
internal static class ProjectAssemblyFinder
{
    private const string DepsSuffix = ".deps.json";

    /// <summary>The assembly that the project makes.</summary>
    /// <param name="project">The project file.</param>
    /// <param name="output">Where it was built to.</param>
    /// <returns>The file's name.</returns>
    /// <exception cref="DefinitionException">It makes none.</exception>
    public static string FindAssemblyFile(string project, string output)
    {
        var expected = Path.GetFileNameWithoutExtension(project) + ".dll";
        if (File.Exists(Path.Combine(output, expected)))
            return expected;
        // A project may set AssemblyName; the one deps.json that is not a reference's own names it.
        var assemblies = Directory.EnumerateFiles(output, "*" + DepsSuffix)
            .Select(deps => Path.GetFileName(deps)[..^DepsSuffix.Length] + ".dll")
            .Where(file => File.Exists(Path.Combine(output, file)))
            .ToList();
        return assemblies is [var only]
            ? only
            : throw new DefinitionException(
                $"{project} built, and its assembly is not clear ({(assemblies.Count == 0 ? "none found" : string.Join(", ", assemblies))}): name the .dll instead.");
    }
}
