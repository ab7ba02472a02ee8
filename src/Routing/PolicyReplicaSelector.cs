using Microsoft.Extensions.Logging;
using Serve.Routing.Pickers;

namespace Serve.Routing;

/// <summary>
/// Selects replicas by a policy: calls its picker, and takes a lease on the picked replica. Exists for one set of replicas. A picker of user code that throws is replaced by the default policy.
/// </summary>
/// <param name="deployment">The deployment, for logs.</param>
/// <param name="picker">The policy.</param>
/// <param name="slots">The replicas.</param>
/// <param name="log">Receives failures of the policy.</param>
internal sealed partial class PolicyReplicaSelector(DeploymentId deployment, ReplicaPicker picker, ReplicaSlot[] slots, ILogger log)
{
    private volatile ReplicaPicker _picker = picker;

    /// <summary>The policy.</summary>
    public ReplicaPicker Picker => _picker;

    /// <summary>Selects a replica and takes a lease on it.</summary>
    public ReplicaPickResult Select(in RoutingRequest request)
    {
        // A concurrent request may have taken the last lease since the pick; then the next pick finds the replica busy. User code may pick busy replicas.
        for (var attempt = 0; attempt <= slots.Length; attempt++)
        {
            var index = Pick(request);
            if ((uint)index >= (uint)slots.Length)
                break;
            if (slots[index] is { IsAvailable: true } slot && slot.TryEnter())
                return ReplicaPickResult.Complete(slot);
        }

        return ReplicaPickResult.Queue;
    }

    private int Pick(in RoutingRequest request)
    {
        try
        {
            return _picker.Pick(request);
        }
        catch (Exception error)
        {
            Log.PolicyFailed(log, deployment, _picker.GetType().Name, error);
            _picker = new PowerOfTwoChoicesPicker(slots);
            return _picker.Pick(request);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 9000, Level = LogLevel.Error, Message = "Routing policy {Policy} of {Deployment} failed and is replaced by power_of_two until the replicas change")]
        public static partial void PolicyFailed(ILogger logger, DeploymentId deployment, string policy, Exception error);
    }
}
