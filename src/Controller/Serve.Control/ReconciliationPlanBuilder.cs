using System.Collections.Immutable;
using Serve.Control.Observed;
using Serve.Control.Placement;

namespace Serve.Control;

/// <summary>A plan under construction: numbers the actions, keeps the earliest wake-up, and places replicas on nodes.</summary>
internal sealed class ReconciliationPlanBuilder(ObservedState observed, DateTimeOffset now)
{
    private const string Alphabet = "0123456789abcdefghjkmnpqrstvwxyz";
    private readonly ImmutableArray<ControlAction>.Builder _actions = ImmutableArray.CreateBuilder<ControlAction>();
    private long _generation = observed.Generation;

    public ObservedState Observed => observed;

    public DateTimeOffset Now => now;

    /// <summary>Generation of the newest action.</summary>
    public long Generation => _generation;

    public DateTimeOffset? NextWakeUp { get; private set; }

    public ImmutableArray<ControlAction> Actions => _actions.ToImmutable();

    public ReplicaPlacer Placer { get; } = new(observed);

    public void Add(Func<long, ControlAction> action) => _actions.Add(action(++_generation));

    /// <summary>Returns whether a time is in the future; if so, the next decision is taken then at the latest.</summary>
    public bool MustWaitUntil(DateTimeOffset time)
    {
        if (time <= now)
            return false;
        if (NextWakeUp is null || time < NextWakeUp)
            NextWakeUp = time;
        return true;
    }

    /// <summary>Returns an id that was never used before: epoch and generation, mixed by invertible steps, which therefore never collide.</summary>
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
        for (var index = suffix.Length - 1; index >= 0; index--, value >>= 5)
            suffix[index] = Alphabet[(int)(value & 31)];
        return new(deployment, new string(suffix));
    }
}
