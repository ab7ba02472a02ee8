namespace Serve.Routing.Pickers;

/// <summary>
/// Picks, of two random replicas, the one with fewer requests (Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing"). If both are busy,
/// picks any replica that is not.
/// </summary>
/// <param name="replicas">The replicas.</param>
internal sealed class PowerOfTwoChoicesPicker(RoutableReplica[] replicas) : ReplicaPicker
{
    /// <inheritdoc/>
    public override int Pick(in RoutingRequest request)
    {
        if (replicas.Length <= 1)
            return replicas.Length == 1 && replicas[0].IsAvailable ? 0 : -1;

        var start = Random.Shared.Next(replicas.Length);
        var other = (start + 1 + Random.Shared.Next(replicas.Length - 1)) % replicas.Length;
        var (first, second) = replicas[start].Ongoing <= replicas[other].Ongoing ? (start, other) : (other, start);
        if (replicas[first].IsAvailable)
            return first;
        if (replicas[second].IsAvailable)
            return second;

        for (var i = 0; i < replicas.Length; i++)
        {
            var index = (start + i) % replicas.Length;
            if (replicas[index].IsAvailable)
                return index;
        }

        return -1;
    }
}
