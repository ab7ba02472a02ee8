namespace Serve.Runtime.Placement;

/// <summary>A placement group for another process.</summary>
internal sealed record SerializedPlacementGroup(string Id, string? Name, PlacementStrategy Strategy, Bundle[] Bundles);
