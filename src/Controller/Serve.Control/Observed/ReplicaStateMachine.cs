using System.Collections.Frozen;
using static Serve.Control.Observed.ReplicaPhase;
using static Serve.Control.Observed.ReplicaPhaseTrigger;

namespace Serve.Control.Observed;

/// <summary>Transition table of a replica's phases. A trigger without an entry for the current phase is ignored, so late or duplicate events are harmless.</summary>
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

            // A retried stop. A stop also cleans up after a replica that dies, fails or starts while it is being stopped; only the end of the stop counts.
            [(Stopping, StopRequested)] = Stopping,
        }.ToFrozenDictionary();

    /// <summary>All transitions.</summary>
    public static IReadOnlyDictionary<(ReplicaPhase From, ReplicaPhaseTrigger Trigger), ReplicaPhase> Transitions => Table;

    /// <summary>Returns the next phase; null if the trigger is ignored in this phase.</summary>
    public static ReplicaPhase? Next(ReplicaPhase phase, ReplicaPhaseTrigger trigger) =>
        Table.TryGetValue((phase, trigger), out var next) ? next : null;
}
