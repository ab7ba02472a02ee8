namespace Serve.Admin;

/// <summary>The nodes, as <c>GET /api/v1/nodes</c> tells them.</summary>
public sealed record NodeDetailsList
{
    /// <summary>Every node.</summary>
    public IReadOnlyList<NodeDetails> Nodes { get; init; } = [];
}
