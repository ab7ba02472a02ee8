namespace Serve.Runtime;

/// <summary>What a task, an actor or a group holds of a ledger: given back whole.</summary>
/// <param name="Demand">The amounts.</param>
/// <param name="GpuIds">The devices its GPUs are on; never written to.</param>
/// <param name="IsLasting">Whether it is kept for longer than a task.</param>
internal sealed record ResourceAllocation(ResourceDemand Demand, int[] GpuIds, bool IsLasting = false);
