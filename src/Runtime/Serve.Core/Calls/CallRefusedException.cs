namespace Serve.Calls;

/// <summary>
/// One replica refused a call before starting it: full, stopping, or its process cannot be reached. A router answers by picking another;
/// callers of a deployment never see it.
/// </summary>
/// <param name="replicaId">The replica that refused.</param>
/// <param name="gone">Whether the replica will never take another call (stopped or dead), rather than being full.</param>
/// <param name="inner">The failed connection, if that is how it was seen.</param>
public sealed class CallRefusedException(string replicaId, bool gone, Exception? inner = null)
    : Exception($"Replica {replicaId} {(gone ? "is gone" : "is at its limit")}; the call did not start.", inner)
{
    /// <summary>The replica that refused.</summary>
    public string ReplicaId { get; } = replicaId;

    /// <summary>Whether the replica will never take another call, rather than being full.</summary>
    public bool Gone { get; } = gone;
}
