using System.Collections.Frozen;
using static Serve.Control.ReplicaPhase;
using static Serve.Control.ReplicaPhaseTrigger;

namespace Serve.Control;

/// <summary>The replica's life cycle as a table: what is not in it does not happen, however late or doubled an event arrives.</summary>
public static class ReplicaStateMachine
{
    private static readonly FrozenDictionary<(ReplicaPhase, ReplicaPhaseTrigger), ReplicaPhase> Table =
        new Dictionary<(ReplicaPhase, ReplicaPhaseTrigger), ReplicaPhase>
        {
            [(Starting, Started)] = Running,
            [(Starting, StartFailed)] = Gone,
            [(Starting, StopRequested)] = Stopping,
            [(Running, HealthLost)] = Unhealthy,
            [(Running, Died)] = Gone,
            [(Running, StopRequested)] = Stopping,
            [(Unhealthy, Died)] = Gone,
            [(Unhealthy, StopRequested)] = Stopping,
            [(Stopping, Stopped)] = Gone,

            // The stop under way cleans up after a replica that dies, fails or comes up meanwhile; its own end is what counts.
            [(Stopping, StopRequested)] = Stopping,
        }.ToFrozenDictionary();

    /// <summary>Every transition there is.</summary>
    public static IReadOnlyDictionary<(ReplicaPhase From, ReplicaPhaseTrigger Trigger), ReplicaPhase> Transitions => Table;

    /// <summary>The next phase; null when the trigger means nothing in this phase.</summary>
    public static ReplicaPhase? Next(ReplicaPhase phase, ReplicaPhaseTrigger trigger) =>
        Table.TryGetValue((phase, trigger), out var next) ? next : null;
}
