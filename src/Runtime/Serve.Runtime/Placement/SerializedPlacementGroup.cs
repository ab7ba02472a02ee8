namespace Serve.Runtime.Placement;

/// <summary>Serialized form of a placement group.</summary>
internal sealed record SerializedPlacementGroup(string Id, string? Name, PlacementStrategy Strategy, Bundle[] Bundles);
