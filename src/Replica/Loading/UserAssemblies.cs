using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Serve.Replica.Loading;

/// <summary>
/// The packages loaded in this process: one load context per package hash, shared by its replicas, unloaded after the last. The one
/// writer of that table.
/// </summary>
public sealed class UserAssemblies
{
    private readonly Lock guard = new();
    private readonly Dictionary<string, Loaded> packages = new(StringComparer.Ordinal);

    /// <summary>How many packages are loaded.</summary>
    public int Count
    {
        get
        {
            lock (guard)
                return packages.Count;
        }
    }

    /// <summary>Loads a package, or shares the one that is loaded.</summary>
    /// <param name="packageHash">Equal hashes are equal code.</param>
    /// <param name="assemblyPath">The package's main assembly.</param>
    /// <returns>A hold on it, to be disposed.</returns>
    /// <exception cref="DefinitionException">The file is missing or is no .NET assembly.</exception>
    public UserAssembly Acquire(string packageHash, string assemblyPath)
    {
        lock (guard)
        {
            if (!packages.TryGetValue(packageHash, out var package))
            {
                // Nothing of the user's runs while an assembly is loaded, so the lock is held for file access alone.
                var context = UserAssemblyContext.Open(assemblyPath);
                package = packages[packageHash] = new Loaded(context, LoadOrUnload(context));
            }

            package.Holds++;
            return new UserAssembly(package.Assembly, package.Json, () => Release(packageHash));
        }
    }

    /// <summary>This room's own classes, for what is served without user code.</summary>
    /// <returns>A hold that nothing depends on.</returns>
    public static UserAssembly BuiltIn() => new(typeof(UserAssemblies).Assembly, ServeJson.Calls, static () => { });

    private static Assembly LoadOrUnload(UserAssemblyContext context)
    {
        try
        {
            return context.LoadMain();
        }
        catch
        {
            context.Unload();
            throw;
        }
    }

    private void Release(string packageHash)
    {
        lock (guard)
        {
            var package = packages[packageHash];
            if (--package.Holds > 0)
                return;
            packages.Remove(packageHash);
            package.Context.Unload();
        }
    }

    private sealed class Loaded(UserAssemblyContext context, Assembly assembly)
    {
        public UserAssemblyContext Context => context;

        public Assembly Assembly => assembly;

        // Options that are equal share one cache of types, unless their resolvers differ: this one would outlive the package.
        public JsonSerializerOptions Json { get; } = new(ServeJson.Calls) { TypeInfoResolver = new DefaultJsonTypeInfoResolver() };

        public int Holds { get; set; }
    }
}
