using System.Reflection;
using Serve.Replicas;
using Serve.Routes;
using Serve.Routing;

namespace Serve.Replica.Loading;

/// <summary>Loads routing policies from the packages of this node.</summary>
/// <param name="assemblies">Packages that are loaded in this process.</param>
/// <param name="folders">Folders of the node.</param>
internal sealed class PackagePickerClassLoader(UserAssemblyCache assemblies, ReplicaFolders folders) : IPickerClassLoader
{
    /// <inheritdoc/>
    public PickerClassLease Load(RoutingRule rule)
    {
        var lease = assemblies.Acquire(rule.PackageHash!, Path.Combine(folders.PackageOf(rule.PackageHash!), rule.AssemblyFile!));
        try
        {
            var constructor = lease.Assembly.GetType(rule.PickerClass!)?.GetConstructor([typeof(ReplicaPickerContext)])
                ?? throw new DefinitionException($"{rule.PickerClass} must have a public constructor with a {nameof(ReplicaPickerContext)} as its only parameter.");
            return new PickerClassLease(
                context => (ReplicaPicker)constructor.Invoke(BindingFlags.DoNotWrapExceptions, binder: null, [context], culture: null), lease.Dispose);
        }
        catch
        {
            lease.Dispose();
            throw;
        }
    }
}
