using System.Collections.Concurrent;
using System.Reflection;
using System.Runtime.Loader;
using Serve.Runtime.Wire;

namespace Serve.Runtime.Workers.Connections;

/// <summary>
/// Finds the classes that the other side of a session names: by name where this is the same program; else from the file that the other side has it
/// from, with what it needs beside it, each file in a context of its own: of a package that is deployed anew there are several versions of one
/// name. Its table is written under its own locks.
/// </summary>
internal sealed class PeerAssemblyLoader
{
    private readonly ConcurrentDictionary<(string Name, string Path), Lazy<Assembly>> _found = new();

    /// <exception cref="BadInputException">There is no such class here.</exception>
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
            throw new BadInputException($"The worker cannot find {named.Type} of {named.Assembly}. {thrown.Message} Its program must reference what declares the function.", thrown);
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

    /// <summary>One file and what lies beside it. What this process has itself, the contract above all, is shared with it.</summary>
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
