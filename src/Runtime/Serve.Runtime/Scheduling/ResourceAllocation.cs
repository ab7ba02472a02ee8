namespace Serve.Runtime;

/// <summary>What one actor holds of the ledger: given back whole.</summary>
/// <param name="Demand">The amounts.</param>
/// <param name="GpuIds">The devices its GPUs are on; never written to.</param>
internal sealed record ResourceAllocation(ResourceDemand Demand, int[] GpuIds);
