using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Serve.Replica.Instances;

namespace Serve.Replica.Loading;

/// <summary>
/// The packages loaded in this process: one load context per package hash, shared by its replicas, unloaded after the last. The one
/// writer of that table.
/// </summary>
public sealed class UserAssemblyCache
{
    private readonly Lock _guard = new();
    private readonly Dictionary<string, LoadedPackage> _packages = new(StringComparer.Ordinal);

    /// <summary>How many packages are loaded.</summary>
    public int Count
    {
        get
        {
            lock (_guard)
                return _packages.Count;
        }
    }

    /// <summary>Loads a package, or shares the one that is loaded.</summary>
    /// <param name="packageHash">Equal hashes are equal code.</param>
    /// <param name="assemblyPath">The package's main assembly.</param>
    /// <returns>A hold on it, to be disposed.</returns>
    /// <exception cref="DefinitionException">The file is missing or is no .NET assembly.</exception>
    public UserAssemblyLease Acquire(string packageHash, string assemblyPath)
    {
        lock (_guard)
        {
            if (!_packages.TryGetValue(packageHash, out var package))
            {
                // Nothing of the user's runs while an assembly is loaded, so the lock is held for file access alone.
                var context = UserAssemblyLoadContext.Open(assemblyPath);
                package = _packages[packageHash] = new LoadedPackage(context, LoadOrUnload(context));
            }

            package.Holds++;
            return new UserAssemblyLease(package.Assembly, package.Json, () => Release(packageHash));
        }
    }

    /// <summary>Returns a lease on classes of the platform, for packages without an assembly.</summary>
    /// <param name="builtIn">The class.</param>
    public static UserAssemblyLease BuiltIn(BuiltInDeploymentClass builtIn) => new(builtIn.Type.Assembly, ServeJson.Calls, static () => { });

    private static Assembly LoadOrUnload(UserAssemblyLoadContext context)
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
        lock (_guard)
        {
            var package = _packages[packageHash];
            if (--package.Holds > 0)
                return;
            _packages.Remove(packageHash);
            package.Context.Unload();
        }
    }

    private sealed class LoadedPackage(UserAssemblyLoadContext context, Assembly assembly)
    {
        public UserAssemblyLoadContext Context => context;

        public Assembly Assembly => assembly;

        // Options that are equal share one cache of types, unless their resolvers differ: this one would outlive the package.
        public JsonSerializerOptions Json { get; } = new(ServeJson.Calls) { TypeInfoResolver = new DefaultJsonTypeInfoResolver() };

        public int Holds { get; set; }
    }
}
