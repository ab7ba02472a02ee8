namespace Serve.Control;

/// <summary>What a reconfiguration under way will have put in force when it succeeds.</summary>
public sealed record PendingReconfiguration(DeploymentRevision Deployment, int Rank, int WorldSize);
