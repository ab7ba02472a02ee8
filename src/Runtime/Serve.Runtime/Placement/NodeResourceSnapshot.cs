namespace Serve.Runtime.Placement;

/// <summary>A node's resources at the moment of a decision.</summary>
/// <param name="Total">All it has.</param>
/// <param name="Free">What of it nobody holds.</param>
internal sealed record NodeResourceSnapshot(ResourceDemand Total, ResourceDemand Free);
