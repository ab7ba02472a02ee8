using System.Reflection;
using Serve.Replicas;
using Serve.Routes;
using Serve.Routing;

namespace Serve.Replica.Loading;

/// <summary>Loads classes of the packages of this node that are not deployments: routing policies, and autoscaling policies.</summary>
/// <param name="assemblies">Packages that are loaded in this process.</param>
/// <param name="folders">Folders of the node.</param>
public sealed class PackageClassLoader(UserAssemblyCache assemblies, ReplicaFolders folders) : IPickerClassLoader
{
    /// <inheritdoc/>
    public PickerClassLease Load(RoutingRule rule)
    {
        ArgumentNullException.ThrowIfNull(rule);
        return Load(rule.PackageHash!, rule.AssemblyFile!, code =>
        {
            var constructor = code.Assembly.GetType(rule.PickerClass!)?.GetConstructor([typeof(ReplicaPickerContext)])
                ?? throw new DefinitionException($"{rule.PickerClass} must have a public constructor with a {nameof(ReplicaPickerContext)} as its only parameter.");
            return new PickerClassLease(
                context => (ReplicaPicker)constructor.Invoke(BindingFlags.DoNotWrapExceptions, binder: null, [context], culture: null), code.Dispose);
        });
    }

    /// <summary>Creates an object with the code of a package.</summary>
    /// <param name="packageHash">Hash of the package.</param>
    /// <param name="assemblyFile">Main assembly of the package.</param>
    /// <param name="create">Receives the lease of the code, which is disposed if it throws.</param>
    /// <exception cref="DefinitionException">The assembly does not exist.</exception>
    public T Load<T>(string packageHash, string assemblyFile, Func<UserAssemblyLease, T> create)
    {
        ArgumentNullException.ThrowIfNull(create);
        var code = assemblies.Acquire(packageHash, Path.Combine(folders.PackageOf(packageHash), assemblyFile));
        try
        {
            return create(code);
        }
        catch
        {
            code.Dispose();
            throw;
        }
    }
}
