namespace Serve.Runtime.Placement;

/// <summary>A placement group for another process.</summary>
internal sealed record GroupText(string Id, string? Name, PlacementStrategy Strategy, Bundle[] Bundles);
