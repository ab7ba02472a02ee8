namespace Serve.Replica.Definitions;

/// <summary>Finds circular handle dependencies by depth-first search.</summary>
internal static class HandleCycleFinder
{
    /// <summary>Returns each cycle once, as a path whose first member is also its last.</summary>
    public static List<List<DeploymentClassReader>> Find(
        IReadOnlyList<DeploymentClassReader> members, Dictionary<DeploymentClassReader, List<DeploymentClassReader>> dependencies)
    {
        List<List<DeploymentClassReader>> cycles = [];
        List<DeploymentClassReader> path = [];
        HashSet<DeploymentClassReader> done = [];
        foreach (var member in members)
            Visit(member);
        return cycles;

        void Visit(DeploymentClassReader member)
        {
            if (path.IndexOf(member) is var start and >= 0)
            {
                cycles.Add([.. path[start..], member]);
                return;
            }

            if (!done.Add(member))
                return;
            path.Add(member);
            foreach (var target in dependencies.GetValueOrDefault(member, []).Distinct())
                Visit(target);
            path.RemoveAt(path.Count - 1);
        }
    }
}
