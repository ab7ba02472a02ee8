namespace Serve.Routing;

/// <summary>What one snapshot says about one deployment. Immutable.</summary>
/// <param name="Picker">The policy over the replicas.</param>
/// <param name="Models">The policy for requests that ask for a multiplexed model; null when there is nothing to choose.</param>
/// <param name="Slots">The replicas.</param>
/// <param name="MaxOngoing">How many leases one replica may have out.</param>
/// <param name="MaxQueued">How many requests may wait; -1 is no limit.</param>
internal sealed record DeploymentRouterState(ReplicaPicker Picker, MultiplexedModelPicker? Models, ReplicaSlot[] Slots, int MaxOngoing, int MaxQueued);
