namespace Serve.Routing.Pickers;

/// <summary>Picks the available replica with the fewest requests; a random one of several.</summary>
/// <param name="replicas">The replicas.</param>
internal sealed class LeastOngoingPicker(RoutableReplica[] replicas) : ReplicaPicker
{
    /// <inheritdoc/>
    public override int Pick(in RoutingRequest request)
    {
        var (best, fewest) = (-1, int.MaxValue);
        var index = replicas.Length > 1 ? Random.Shared.Next(replicas.Length) : 0;
        for (var i = 0; i < replicas.Length; i++, index++)
        {
            if (index == replicas.Length)
                index = 0;
            if (replicas[index].Ongoing is var ongoing && ongoing < fewest && replicas[index].IsAvailable)
                (best, fewest) = (index, ongoing);
        }

        return best;
    }
}
