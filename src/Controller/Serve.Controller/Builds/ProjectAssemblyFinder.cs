namespace Serve.Controller.Builds;

/// <summary>Finds the main assembly in the output of a build.</summary>
internal static class ProjectAssemblyFinder
{
    private const string DepsSuffix = ".deps.json";

    /// <summary>Returns the file name of the main assembly.</summary>
    /// <param name="target">The project or C# file that was built.</param>
    /// <param name="output">Output folder of the build.</param>
    /// <exception cref="DefinitionException">The output contains no main assembly, or several candidates.</exception>
    public static string FindAssemblyFile(string target, string output)
    {
        var expected = Path.GetFileNameWithoutExtension(target) + ".dll";
        if (File.Exists(Path.Combine(output, expected)))
            return expected;
        // A project may set AssemblyName; only the main assembly has a deps.json.
        var assemblies = Directory.EnumerateFiles(output, "*" + DepsSuffix)
            .Select(deps => Path.GetFileName(deps)[..^DepsSuffix.Length] + ".dll")
            .Where(file => File.Exists(Path.Combine(output, file)))
            .ToList();
        return assemblies is [var only]
            ? only
            : throw new DefinitionException(
                $"{target} was built, but its main assembly cannot be determined ({(assemblies.Count == 0 ? "none found" : string.Join(", ", assemblies))}). Name the .dll instead.");
    }
}
