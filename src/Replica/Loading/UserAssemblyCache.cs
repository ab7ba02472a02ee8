using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Serve.Replica.Instances;

namespace Serve.Replica.Loading;

/// <summary>
/// Packages that are loaded in this process: one load context per package hash, shared by its replicas, and unloaded after the last one.
/// </summary>
public sealed class UserAssemblyCache
{
    private readonly Lock _guard = new();
    private readonly Dictionary<string, LoadedPackage> _packages = new(StringComparer.Ordinal);

    /// <summary>Number of loaded packages.</summary>
    public int Count
    {
        get
        {
            lock (_guard)
                return _packages.Count;
        }
    }

    /// <summary>Leases a package; loads it if necessary.</summary>
    /// <param name="packageHash">Hash of the package.</param>
    /// <param name="assemblyPath">Main assembly of the package.</param>
    /// <exception cref="DefinitionException">The file does not exist or is not a .NET assembly.</exception>
    public UserAssemblyLease Acquire(string packageHash, string assemblyPath)
    {
        lock (_guard)
        {
            if (!_packages.TryGetValue(packageHash, out var package))
            {
                // Loading an assembly runs no user code, so the lock is held for file access only.
                var context = UserAssemblyLoadContext.Open(assemblyPath);
                package = _packages[packageHash] = new LoadedPackage(context, LoadOrUnload(context));
            }

            package.Holds++;
            return new UserAssemblyLease(package.Assembly, package.Json, () => Release(packageHash));
        }
    }

    /// <summary>Leases the assembly of the built-in deployments, which need no user code.</summary>
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

        // Equal options share one type cache unless their resolvers differ; a shared cache would outlive the package.
        public JsonSerializerOptions Json { get; } = new(ServeJson.Calls) { TypeInfoResolver = new DefaultJsonTypeInfoResolver() };

        public int Holds { get; set; }
    }
}
