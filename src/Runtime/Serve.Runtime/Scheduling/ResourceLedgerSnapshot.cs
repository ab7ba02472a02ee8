namespace Serve.Runtime;

/// <summary>What a node has and what of it is reserved, at one moment.</summary>
/// <param name="Total">All there is.</param>
/// <param name="Reserved">What actors hold.</param>
public sealed record ResourceLedgerSnapshot(ResourceDemand Total, ResourceDemand Reserved);
