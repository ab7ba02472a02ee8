using System.Reflection;
using Serve.Replica.Loading;
using Serve.Routing;
using Serve.Specs;

namespace Serve.Replica.Definitions;

/// <summary>Inspects the deployments of an assembly without running its code. Reports all errors at once.</summary>
public static class DeploymentInspector
{
    /// <summary>Inspects an assembly file in a temporary load context.</summary>
    /// <param name="assemblyPath">The assembly; its <c>.deps.json</c> is in the same folder.</param>
    /// <param name="typeName">Full or simple name of the ingress class, as in <c>App.dll:Type</c>; null to infer it.</param>
    /// <exception cref="DefinitionException">The assembly or a class in it is invalid; lists every error.</exception>
    public static InspectedApplication Inspect(string assemblyPath, string? typeName = null)
    {
        var context = UserAssemblyLoadContext.Open(assemblyPath);
        try
        {
            return Inspect(context.LoadMain(), typeName);
        }
        finally
        {
            context.Unload();
        }
    }

    /// <summary>Inspects a loaded assembly.</summary>
    /// <param name="assembly">The assembly.</param>
    /// <param name="typeName">Full or simple name of the ingress class; null to infer it.</param>
    /// <exception cref="DefinitionException">A class is invalid; lists every error.</exception>
    public static InspectedApplication Inspect(Assembly assembly, string? typeName = null)
    {
        var types = TypesOf(assembly);
        var classes = types.Where(DeploymentClassReader.IsDeployment).Select(DeploymentClassReader.Read)
            .OrderBy(found => found.Name, StringComparer.Ordinal).ToList();
        if (classes.Count == 0)
            throw new DefinitionException(NoDeployment(assembly, types));

        List<string> errors = [];
        var graph = new HandleDependencyGraph(classes);
        var application = typeName is null
            ? graph.WholeAssembly(errors)
            : graph.ReachableFrom(typeName, types, errors);
        return errors.Count == 0 ? application! with { PickerClasses = [.. types.Where(IsPicker).Select(type => type.FullName!)] } : throw new DefinitionException(errors);
    }

    private static bool IsPicker(Type type) =>
        type is { IsVisible: true, IsAbstract: false, ContainsGenericParameters: false } && type.IsSubclassOf(typeof(ReplicaPicker));

    private static Type[] TypesOf(Assembly assembly)
    {
        try
        {
            return assembly.GetTypes();
        }
        catch (ReflectionTypeLoadException error)
        {
            throw new DefinitionException([.. error.LoaderExceptions
                .Select(loader => $"{assembly.GetName().Name}: {loader?.Message}").Distinct()]);
        }
    }

    private static string NoDeployment(Assembly assembly, Type[] types)
    {
        var candidates = types
            .Where(type => type is { IsClass: true, IsVisible: true, IsAbstract: false })
            .Select(type => type.FullName!).Order(StringComparer.Ordinal).ToList();
        return $"{assembly.GetName().Name} has no class with [Deployment]. " + (candidates.Count == 0
            ? "Declare one: [Deployment] public sealed class Counter { ... }"
            : $"Add the attribute to the class to serve; the public classes are {string.Join(", ", candidates)}.");
    }
}
