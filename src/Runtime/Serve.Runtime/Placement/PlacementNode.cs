namespace Serve.Runtime.Placement;

/// <summary>Node with its resource ledger, as seen by placement.</summary>
/// <param name="Id">Node id; the single node of a local cluster is <see cref="OnlyId"/>.</param>
/// <param name="Ledger">Resources of the node.</param>
internal sealed record PlacementNode(string Id, ResourceLedger Ledger)
{
    public const string OnlyId = "node";
}
