namespace Serve.Runtime.Placement;

/// <summary>A node as placement sees it.</summary>
/// <param name="Id">Its id; the only one of a cluster of one process is <see cref="OnlyId"/>.</param>
/// <param name="Ledger">What it has.</param>
internal sealed record PlacementNode(string Id, ResourceLedger Ledger)
{
    public const string OnlyId = "node";
}
