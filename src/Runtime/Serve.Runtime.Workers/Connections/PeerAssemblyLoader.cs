using System.Collections.Concurrent;
using System.Reflection;
using System.Runtime.Loader;
using Serve.Runtime.Wire;

namespace Serve.Runtime.Workers.Connections;

/// <summary>
/// Resolves classes that the peer names: by assembly name if both processes run the same program; otherwise from the file that the peer loaded,
/// with its dependencies next to it. Each file is loaded into a context of its own, because redeployed packages are several versions of one
/// name. The table is written under its own locks.
/// </summary>
internal sealed class PeerAssemblyLoader
{
    private readonly ConcurrentDictionary<(string Name, string Path), Lazy<Assembly>> _found = new();

    /// <exception cref="BadInputException">This process has no such class.</exception>
    public Type FindType(Function named)
    {
        var type = FindOne(named);
        return named.Arguments.Count == 0 ? type : type.MakeGenericType([.. named.Arguments.Select(FindType)]);
    }

    private Type FindOne(Function named)
    {
        try
        {
            return _found.GetOrAdd((named.Assembly, named.Path), static key => new(() => Load(key.Name, key.Path))).Value.GetType(named.Type, throwOnError: true)!;
        }
        catch (Exception thrown) when (thrown is IOException or BadImageFormatException or TypeLoadException)
        {
            throw new BadInputException($"The worker cannot find {named.Type} of {named.Assembly}. {thrown.Message} The worker's program must reference the assembly that declares the function.", thrown);
        }
    }

    private static Assembly Load(string name, string path)
    {
        try
        {
            return AssemblyLoadContext.Default.LoadFromAssemblyName(new(name));
        }
        catch (IOException) when (File.Exists(path))
        {
            return new PeerFileLoadContext(path).LoadFromAssemblyPath(path);
        }
    }

    /// <summary>Load context of one file and its dependencies. Assemblies that this process has itself are shared.</summary>
    private sealed class PeerFileLoadContext(string path) : AssemblyLoadContext(path)
    {
        private readonly AssemblyDependencyResolver _resolver = new(path);

        protected override Assembly? Load(AssemblyName assemblyName)
        {
            try
            {
                return Default.LoadFromAssemblyName(assemblyName);
            }
            catch (IOException) when (_resolver.ResolveAssemblyToPath(assemblyName) is { } file)
            {
                return LoadFromAssemblyPath(file);
            }
        }

        protected override nint LoadUnmanagedDll(string unmanagedDllName) =>
            _resolver.ResolveUnmanagedDllToPath(unmanagedDllName) is { } file ? LoadUnmanagedDllFromPath(file) : 0;
    }
}
