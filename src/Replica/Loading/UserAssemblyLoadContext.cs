using System.Reflection;
using System.Runtime.Loader;

namespace Serve.Replica.Loading;

/// <summary>
/// Collectible load context of a package: resolves assemblies and native libraries by its <c>.deps.json</c>; only those in <see cref="SharedAssemblyNames"/> are loaded from
/// the host.
/// </summary>
internal sealed class UserAssemblyLoadContext(string mainAssemblyPath)
    : AssemblyLoadContext($"user:{Path.GetFileNameWithoutExtension(mainAssemblyPath)}", isCollectible: true)
{
    private readonly AssemblyDependencyResolver _resolver = new(mainAssemblyPath);

    /// <summary>Loads the main assembly of the package.</summary>
    /// <exception cref="DefinitionException">The file is not a .NET assembly.</exception>
    public Assembly LoadMain()
    {
        try
        {
            return LoadFromAssemblyPath(mainAssemblyPath);
        }
        catch (Exception error) when (error is BadImageFormatException or FileLoadException or FileNotFoundException)
        {
            throw new DefinitionException($"{mainAssemblyPath} cannot be loaded as a .NET assembly: {error.Message}");
        }
    }

    public static UserAssemblyLoadContext Open(string mainAssemblyPath)
    {
        var path = Path.GetFullPath(mainAssemblyPath);
        return File.Exists(path)
            ? new UserAssemblyLoadContext(path)
            : throw new DefinitionException($"{path} does not exist. Build the application first.");
    }

    protected override Assembly? Load(AssemblyName assemblyName)
    {
        if (SharedAssemblyNames.Contains(assemblyName.Name))
            return null;
        return _resolver.ResolveAssemblyToPath(assemblyName) is { } path ? LoadFromAssemblyPath(path) : null;
    }

    protected override nint LoadUnmanagedDll(string unmanagedDllName) =>
        _resolver.ResolveUnmanagedDllToPath(unmanagedDllName) is { } path ? LoadUnmanagedDllFromPath(path) : 0;
}
