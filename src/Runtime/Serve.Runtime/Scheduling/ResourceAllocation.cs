namespace Serve.Runtime;

/// <summary>Resources that a task, an actor or a placement group holds of a ledger; released as a whole.</summary>
/// <param name="Demand">Amounts.</param>
/// <param name="GpuIds">Assigned GPU devices; never modified.</param>
/// <param name="IsLasting">Whether it is held for longer than a task.</param>
internal sealed record ResourceAllocation(ResourceDemand Demand, int[] GpuIds, bool IsLasting = false);
