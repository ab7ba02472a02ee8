using Serve.Control.Observed;

namespace Serve.Control.Rollout;

/// <summary>Replicas that are kept, replaced and stopped together: a complete gang, or a single replica.</summary>
internal sealed class ReplicaUnit(IReadOnlyList<ObservedReplica> members)
{
    /// <summary>The replicas, by rank within the gang.</summary>
    public IReadOnlyList<ObservedReplica> Members => members;

    /// <summary>Whether all of them are running.</summary>
    public bool IsRunning { get; } = members.All(replica => replica.Phase == ReplicaPhase.Running);

    public DateTimeOffset StartedAt => members[0].StartedAt;

    public int Rank => members[0].Rank;

    /// <summary>Groups live replicas into units. A replica whose gang has lost another member is part of none: its gang is restarted.</summary>
    public static List<ReplicaUnit> Of(IReadOnlyCollection<ObservedReplica> live)
    {
        var gangs = live.Where(replica => replica.Gang is not null).ToLookup(replica => replica.Gang!.Id, StringComparer.Ordinal);
        return
        [
            .. live.Where(replica => replica.Gang is null).Select(replica => new ReplicaUnit([replica])),
            .. gangs.Where(gang => gang.Count() == gang.First().Gang!.Members.Length).Select(gang => new ReplicaUnit([.. gang.OrderBy(replica => replica.Gang!.Rank)])),
        ];
    }

    /// <summary>Returns the first units that have at least a number of replicas together, or all.</summary>
    public static IEnumerable<ReplicaUnit> Cover(IEnumerable<ReplicaUnit> units, int replicas)
    {
        foreach (var unit in units)
        {
            if (replicas <= 0)
                yield break;
            replicas -= unit.Members.Count;
            yield return unit;
        }
    }
}
