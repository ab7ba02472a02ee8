using System.Reflection;
using Serve.Specs;

namespace Serve.Replica.Definitions;

/// <summary>Handle dependencies between the deployments of an assembly: determines the ingress, the deployments that it reaches, and cycles.</summary>
internal sealed class HandleDependencyGraph(IReadOnlyList<DeploymentClassReader> classes)
{
    /// <summary>Returns all deployments of the assembly; the ingress is the one that no other depends on.</summary>
    public InspectedApplication? WholeAssembly(List<string> errors)
    {
        var dependencies = Check(classes, errors);
        var taken = dependencies.SelectMany(entry => entry.Value.Where(target => target != entry.Key)).ToHashSet();
        var candidates = classes.Where(found => !taken.Contains(found)).ToList();
        if (candidates.Count > 1)
        {
            errors.Add($"Several classes could be the ingress: {string.Join(", ", candidates.Select(found => found.Type.FullName))}. "
                + $"Name one, for example :{candidates[0].Type.Name} after the file, or give it handles to the others.");
        }

        return errors.Count == 0 ? Describe(classes, dependencies, candidates[0]) : null;
    }

    /// <summary>Returns the named ingress and the deployments that it reaches.</summary>
    public InspectedApplication? ReachableFrom(string typeName, IReadOnlyList<Type> types, List<string> errors)
    {
        var named = classes.Where(found => found.Type.FullName == typeName).ToList() is { Count: > 0 } exact
            ? exact
            : classes.Where(found => found.Type.Name == typeName || found.Name == typeName).ToList();
        if (named.Count != 1)
        {
            errors.Add(named.Count == 0 ? Unknown(typeName, types) : $"{typeName} is ambiguous: "
                + $"{string.Join(", ", named.Select(found => found.Type.FullName))}. Use the full name.");
            return null;
        }

        List<DeploymentClassReader> reachable = [named[0]];
        for (var next = 0; next < reachable.Count; next++)
            reachable.AddRange(reachable[next].Handles.Select(Find).OfType<DeploymentClassReader>().Except(reachable).ToList());
        reachable = [.. reachable.OrderBy(found => found.Name, StringComparer.Ordinal)];
        var dependencies = Check(reachable, errors);
        return errors.Count == 0 ? Describe(reachable, dependencies, named[0]) : null;
    }

    private static InspectedApplication Describe(
        IReadOnlyList<DeploymentClassReader> members, Dictionary<DeploymentClassReader, List<DeploymentClassReader>> dependencies, DeploymentClassReader ingress) =>
        new([.. members.Select(member => new DeploymentDefinition
        {
            Options = member.Options,
            TypeName = member.Type.FullName!,
            Dependencies = [.. dependencies[member].Select(target => target.Name).Distinct()],
        })], ingress.Name);

    private Dictionary<DeploymentClassReader, List<DeploymentClassReader>> Check(IReadOnlyList<DeploymentClassReader> members, List<string> errors)
    {
        errors.AddRange(members.SelectMany(member => member.Errors));
        foreach (var same in members.GroupBy(member => member.Name, StringComparer.OrdinalIgnoreCase).Where(group => group.Count() > 1))
        {
            errors.Add($"Two deployments are named {same.Key}: {string.Join(" and ", same.Select(member => member.Type.FullName))}. "
                + "Rename one: [Deployment(\"...\")].");
        }

        Dictionary<DeploymentClassReader, List<DeploymentClassReader>> dependencies = [];
        foreach (var member in members)
        {
            var targets = dependencies[member] = [];
            foreach (var handle in member.Handles)
            {
                if (Find(handle) is { } target)
                    targets.Add(target);
                else
                    errors.Add(NoTarget(member, handle));
            }
        }

        errors.AddRange(HandleCycleFinder.Find(members, dependencies)
            .Select(cycle => $"Circular handle dependency: {string.Join(" -> ", cycle.Select(member => member.Name))}. "
                + "Each deployment waits for the next one to start; remove one of the handles."));
        return dependencies;
    }

    private DeploymentClassReader? Find(HandleParameter handle) => handle.Target is { } type
        ? classes.FirstOrDefault(found => found.Type == type)
        : classes.FirstOrDefault(found => string.Equals(found.Name, handle.Name, StringComparison.OrdinalIgnoreCase));

    private string NoTarget(DeploymentClassReader member, HandleParameter handle)
    {
        var known = string.Join(", ", classes.Select(found => found.Name));
        if (handle.Target is not { } type)
        {
            return $"{member.Type.FullName} has a handle '{handle.Name}', but no deployment of that name exists. "
                + $"Rename the parameter to one of {known}.";
        }

        return DeploymentClassReader.IsDeployment(type)
            ? $"{member.Type.FullName} has a handle to {type.FullName}, which is in another assembly ({type.Assembly.GetName().Name})."
            : $"{member.Type.FullName} has a handle to {type.FullName}, which is not a deployment. Add [Deployment] to it; the deployments are {known}.";
    }

    private string Unknown(string typeName, IReadOnlyList<Type> types)
    {
        var known = classes.Select(found => found.Type.FullName!).ToList();
        if (types.FirstOrDefault(type => type.IsClass && (type.FullName == typeName || type.Name == typeName)) is { } plain)
            return $"{plain.FullName} has no [Deployment]. The deployments are {string.Join(", ", known)}.";
        var nearest = NearestNameFinder.Find(typeName, classes.SelectMany(found => new[] { found.Type.Name, found.Type.FullName! }));
        return $"Class {typeName} not found. " + (nearest is null
            ? $"The deployments are {string.Join(", ", known)}."
            : $"Did you mean {nearest}? The deployments are {string.Join(", ", known)}.");
    }
}

/// <summary>A constructor parameter that is a handle to another deployment.</summary>
/// <param name="Name">Name of the parameter; for an untyped handle, the name of the deployment, case-insensitively.</param>
/// <param name="Target">Deployment class of a typed handle; null for an untyped one.</param>
internal sealed record HandleParameter(string Name, Type? Target)
{
    public static bool IsHandle(Type type) =>
        type == typeof(DeploymentHandle) || (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(DeploymentHandle<>));

    public static HandleParameter Of(ParameterInfo parameter) =>
        new(parameter.Name!, parameter.ParameterType.IsGenericType ? parameter.ParameterType.GetGenericArguments()[0] : null);
}
