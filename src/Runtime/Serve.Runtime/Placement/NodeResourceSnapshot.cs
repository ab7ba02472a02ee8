namespace Serve.Runtime.Placement;

/// <summary>Resources of a node at the time of a decision.</summary>
/// <param name="Total">Total resources.</param>
/// <param name="Free">Unreserved resources.</param>
internal sealed record NodeResourceSnapshot(ResourceDemand Total, ResourceDemand Free);
