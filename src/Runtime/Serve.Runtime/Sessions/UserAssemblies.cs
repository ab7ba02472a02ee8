using System.Collections.Concurrent;
using System.Reflection;
using System.Runtime.Loader;
using Serve.Runtime.Wire;

namespace Serve.Runtime.Sessions;

/// <summary>
/// Finds the classes of the head's program in a worker: by name where the worker is the same program; else from the file that the head has it
/// from, with what it needs beside it. Its sets are written under their own locks.
/// </summary>
internal sealed class UserAssemblies
{
    private readonly ConcurrentDictionary<string, Assembly> found = new(StringComparer.Ordinal);
    private readonly ConcurrentBag<AssemblyDependencyResolver> resolvers = [];

    public UserAssemblies() => AssemblyLoadContext.Default.Resolving += Resolve;

    /// <exception cref="BadInputException">There is no such class here.</exception>
    public Type FindType(Function function) => FindType(function.Assembly, function.Path, function.Type);

    public Type FindType(string assembly, string path, string type)
    {
        try
        {
            return found.GetOrAdd(assembly, static (name, state) => state.Self.Load(name, state.path), (Self: this, path)).GetType(type, throwOnError: true)!;
        }
        catch (Exception thrown) when (thrown is IOException or BadImageFormatException or TypeLoadException)
        {
            throw new BadInputException($"The worker cannot find {type} of {assembly}. {thrown.Message} Its program must reference what declares the function.", thrown);
        }
    }

    private Assembly Load(string name, string path)
    {
        try
        {
            return AssemblyLoadContext.Default.LoadFromAssemblyName(new(name));
        }
        catch (IOException) when (File.Exists(path))
        {
            resolvers.Add(new(path));
            return AssemblyLoadContext.Default.LoadFromAssemblyPath(path);
        }
    }

    private Assembly? Resolve(AssemblyLoadContext context, AssemblyName name)
    {
        foreach (var resolver in resolvers)
        {
            if (resolver.ResolveAssemblyToPath(name) is { } path)
                return context.LoadFromAssemblyPath(path);
        }

        return null;
    }
}
