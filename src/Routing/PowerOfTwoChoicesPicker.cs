namespace Serve.Routing;

/// <summary>
/// Picks, of two random replicas, the one with fewer leases (Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing"). If both are at their
/// limit, picks any replica that is not.
/// </summary>
/// <param name="slots">The replicas.</param>
/// <param name="limit">Maximum number of leases per replica.</param>
/// <param name="time">Clock of back-offs.</param>
public sealed class PowerOfTwoChoicesPicker(ReplicaSlot[] slots, int limit, TimeProvider time) : ReplicaPicker
{
    /// <inheritdoc/>
    public override ReplicaPickResult Pick()
    {
        if (slots.Length == 1)
            return TryEnter(slots[0]) ? ReplicaPickResult.Complete(slots[0]) : ReplicaPickResult.Queue;
        if (slots.Length == 0)
            return ReplicaPickResult.Queue;

        var start = Random.Shared.Next(slots.Length);
        var other = (start + 1 + Random.Shared.Next(slots.Length - 1)) % slots.Length;
        var (first, second) = slots[start].Ongoing <= slots[other].Ongoing ? (slots[start], slots[other]) : (slots[other], slots[start]);
        if (TryEnter(first))
            return ReplicaPickResult.Complete(first);
        if (TryEnter(second))
            return ReplicaPickResult.Complete(second);

        for (var i = 0; i < slots.Length; i++)
        {
            var slot = slots[(start + i) % slots.Length];
            if (TryEnter(slot))
                return ReplicaPickResult.Complete(slot);
        }

        return ReplicaPickResult.Queue;
    }

    private bool TryEnter(ReplicaSlot slot) =>
        (slot.AvoidUntil == 0 || slot.AvoidUntil <= time.GetTimestamp()) && slot.TryEnter(limit);
}
