using System.Collections.Immutable;

namespace Serve.Control;

/// <summary>A plan while it is being decided: numbers the actions, keeps the earliest wake-up, and spends the node's free resources once.</summary>
internal sealed class ReconciliationPlanBuilder(ObservedState observed, DateTimeOffset now)
{
    private const string Alphabet = "0123456789abcdefghjkmnpqrstvwxyz";
    private readonly ImmutableArray<ControlAction>.Builder _actions = ImmutableArray.CreateBuilder<ControlAction>();
    private ResourceAmounts? _free = observed.Resources is { } resources ? resources.Total.Minus(resources.Reserved) : null;
    private long _generation = observed.Generation;

    public ObservedState Observed => observed;

    public DateTimeOffset Now => now;

    public DateTimeOffset? NextWakeUp { get; private set; }

    public ImmutableArray<ControlAction> Actions => _actions.ToImmutable();

    /// <summary>What nobody holds and this plan has not spent; null when nothing is limited.</summary>
    public ResourceAmounts? Free => _free;

    public void Add(Func<long, ControlAction> action) => _actions.Add(action(++_generation));

    /// <summary>Has the decision taken again at that time.</summary>
    /// <returns>Whether the time is still to come.</returns>
    public bool MustWaitUntil(DateTimeOffset time)
    {
        if (time <= now)
            return false;
        if (NextWakeUp is null || time < NextWakeUp)
            NextWakeUp = time;
        return true;
    }

    /// <summary>Spends free resources on one start.</summary>
    public bool TrySpend(ResourceAmounts demand)
    {
        if (_free is null)
            return true;
        if (!demand.FitsIn(_free))
            return false;
        _free = _free.Minus(demand);
        return true;
    }

    /// <summary>An id never used before: the life of the controller and the generation, mixed by steps that can be undone and so never collide.</summary>
    public ReplicaId CreateReplicaId(DeploymentId deployment, long forGeneration)
    {
        const ulong mask = (1UL << 40) - 1;
        var value = (((ulong)(uint)observed.Epoch << 24) ^ ((ulong)forGeneration & 0xFFFFFF)) & mask;
        for (var round = 0; round < 3; round++)
        {
            value = (value * 0x9E3779B97F4A7C15UL) & mask;
            value ^= value >> 19;
        }

        Span<char> suffix = stackalloc char[8];
        for (var place = suffix.Length - 1; place >= 0; place--, value >>= 5)
            suffix[place] = Alphabet[(int)(value & 31)];
        return new(deployment, new string(suffix));
    }
}
