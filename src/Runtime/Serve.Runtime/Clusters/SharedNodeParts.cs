using Serve.Runtime.Workers;

namespace Serve.Runtime.Clusters;

/// <summary>What a cluster shares with the Serve node that it is part of, instead of having its own: replicas and tasks draw on the same resources and live in the same kind of workers.</summary>
/// <param name="Ledger">The node's resources.</param>
/// <param name="Pool">The node's workers; ended by the node.</param>
internal sealed record SharedNodeParts(ResourceLedger Ledger, WorkerProcessPool Pool);
