namespace Serve.Routing.Pickers;

/// <summary>Picks the replicas in turn, and skips those that are not available. The turn survives a change of the replicas.</summary>
/// <param name="replicas">The replicas.</param>
/// <param name="previous">The picker of the previous replicas; null if it had another policy.</param>
internal sealed class RoundRobinPicker(RoutableReplica[] replicas, RoundRobinPicker? previous) : ReplicaPicker
{
    private uint _turn = previous is null ? 0 : Volatile.Read(ref previous._turn);

    /// <inheritdoc/>
    public override int Pick(in RoutingRequest request)
    {
        for (var i = 0; i < replicas.Length; i++)
        {
            var index = (int)((Interlocked.Increment(ref _turn) - 1) % (uint)replicas.Length);
            if (replicas[index].IsAvailable)
                return index;
        }

        return -1;
    }
}
