using System.Reflection;
using System.Runtime.Loader;

namespace Serve.Replica.Loading;

/// <summary>
/// One package's assemblies and native libraries, found by its <c>.deps.json</c>; only what <see cref="SharedAssemblyNames"/> names comes
/// from the host. Collectible.
/// </summary>
internal sealed class UserAssemblyLoadContext(string mainAssemblyPath)
    : AssemblyLoadContext($"user:{Path.GetFileNameWithoutExtension(mainAssemblyPath)}", isCollectible: true)
{
    private readonly AssemblyDependencyResolver _resolver = new(mainAssemblyPath);

    /// <summary>Loads the package's main assembly; what cannot be loaded is told as a wrong definition.</summary>
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
