using System.Collections.Immutable;

namespace Serve.Runtime.State;

/// <summary>Summaries of the lists of a cluster.</summary>
internal static class ClusterStateSummarizer
{
    /// <summary>Returns a summary of a cluster.</summary>
    public static ClusterSummary Summarize(Cluster cluster)
    {
        var objects = cluster.ListObjects();
        var available = cluster.AvailableResources;
        return new()
        {
            Tasks = Count(cluster.ListTasks(), task => task.Function, task => task.State),
            Actors = Count(cluster.ListActors(), actor => actor.ClassName, actor => actor.State),
            Objects = Sum(objects, _ => 1),
            ObjectBytes = Sum(objects, entry => entry.Size),
            Resources = cluster.Resources.ToImmutableSortedDictionary(
                total => total.Key, total => new ResourceUsage(total.Value, available.GetValueOrDefault(total.Key)), StringComparer.Ordinal),
        };
    }

    /// <summary>Returns what uses memory: the largest objects and the worker processes.</summary>
    public static ClusterMemory SummarizeMemory(Cluster cluster)
    {
        var objects = cluster.ListObjects();
        return new()
        {
            ObjectBytes = Sum(objects, entry => entry.Size),
            Objects = [.. objects.OrderByDescending(entry => entry.Size)],
            Pid = Environment.ProcessId,
            ProcessBytes = Environment.WorkingSet,
            Workers = [.. cluster.ListWorkers()],
        };
    }

    private static ImmutableSortedDictionary<string, ImmutableSortedDictionary<TPhase, long>> Count<TItem, TPhase>(
        IEnumerable<TItem> items, Func<TItem, string> name, Func<TItem, TPhase> phase)
        where TPhase : struct, Enum => items
        .GroupBy(name, StringComparer.Ordinal)
        .ToImmutableSortedDictionary(
            named => named.Key,
            named => named.CountBy(phase).ToImmutableSortedDictionary(count => count.Key, count => (long)count.Value),
            StringComparer.Ordinal);

    private static ImmutableSortedDictionary<string, long> Sum(IEnumerable<ObjectState> objects, Func<ObjectState, long> amount) => objects
        .GroupBy(entry => entry.Location, StringComparer.Ordinal)
        .ToImmutableSortedDictionary(place => place.Key, place => place.Sum(amount), StringComparer.Ordinal);
}
