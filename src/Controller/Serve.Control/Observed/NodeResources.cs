namespace Serve.Control;

/// <summary>What the node has and what of it is reserved, at one moment.</summary>
public sealed record NodeResources(ResourceAmounts Total, ResourceAmounts Reserved);
