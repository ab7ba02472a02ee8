namespace Serve.Runtime;

/// <summary>Total and reserved resources of a node at one time.</summary>
/// <param name="Total">Total resources.</param>
/// <param name="Reserved">Reserved resources.</param>
public sealed record ResourceLedgerSnapshot(ResourceDemand Total, ResourceDemand Reserved);
