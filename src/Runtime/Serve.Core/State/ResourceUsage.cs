namespace Serve;

/// <summary>One resource of a cluster.</summary>
/// <param name="Total">What there is.</param>
/// <param name="Available">What of it is free.</param>
public readonly record struct ResourceUsage(double Total, double Available);
