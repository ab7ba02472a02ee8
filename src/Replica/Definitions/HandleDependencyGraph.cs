using Serve.Specs;

namespace Serve.Replica.Definitions;

/// <summary>Who takes a handle to whom among an assembly's deployments: finds the ingress, what belongs to it, and cycles. Reads only.</summary>
internal sealed class HandleDependencyGraph(IReadOnlyList<DeploymentClassReader> classes)
{
    /// <summary>All deployments of the assembly; the ingress is the one that no other depends on.</summary>
    public InspectedApplication? WholeAssembly(List<string> errors)
    {
        var dependencies = Check(classes, errors);
        var taken = dependencies.SelectMany(entry => entry.Value.Where(target => target != entry.Key)).ToHashSet();
        var candidates = classes.Where(found => !taken.Contains(found)).ToList();
        if (candidates.Count > 1)
        {
            errors.Add($"Several classes could answer HTTP: {string.Join(", ", candidates.Select(found => found.Type.FullName))}. "
                + $"Name one, for instance :{candidates[0].Type.Name} after the file, or let it take handles to the others.");
        }

        return errors.Count == 0 ? Describe(classes, dependencies, candidates[0]) : null;
    }

    /// <summary>The named ingress and the deployments it can reach.</summary>
    public InspectedApplication? ReachableFrom(string typeName, IReadOnlyList<Type> types, List<string> errors)
    {
        var named = classes.Where(found => found.Type.FullName == typeName).ToList() is { Count: > 0 } exact
            ? exact
            : classes.Where(found => found.Type.Name == typeName || found.Name == typeName).ToList();
        if (named.Count != 1)
        {
            errors.Add(named.Count == 0 ? Unknown(typeName, types) : $"{typeName} names several classes: "
                + $"{string.Join(", ", named.Select(found => found.Type.FullName))}. Write the full name.");
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
                + "Give one another name: [Deployment(\"...\")].");
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
            .Select(cycle => $"Handles go in a circle: {string.Join(" -> ", cycle.Select(member => member.Name))}. "
                + "Each waits for the next to start; take one of the handles away."));
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
            return $"{member.Type.FullName} takes a handle '{handle.Name}', and no deployment has that name. "
                + $"Name the parameter after one of: {known}.";
        }

        return DeploymentClassReader.IsDeployment(type)
            ? $"{member.Type.FullName} takes a handle to {type.FullName}, which is in another assembly ({type.Assembly.GetName().Name})."
            : $"{member.Type.FullName} takes a handle to {type.FullName}, which is no deployment. Put [Deployment] on it; the deployments are {known}.";
    }

    private string Unknown(string typeName, IReadOnlyList<Type> types)
    {
        var known = classes.Select(found => found.Type.FullName!).ToList();
        if (types.FirstOrDefault(type => type.IsClass && (type.FullName == typeName || type.Name == typeName)) is { } plain)
            return $"{plain.FullName} has no [Deployment]. The deployments are {string.Join(", ", known)}.";
        var nearest = NearestNameFinder.Find(typeName, classes.SelectMany(found => new[] { found.Type.Name, found.Type.FullName! }));
        return $"No class is named {typeName}. " + (nearest is null
            ? $"The deployments are {string.Join(", ", known)}."
            : $"Did you mean {nearest}? The deployments are {string.Join(", ", known)}.");
    }
}
