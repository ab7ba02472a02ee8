using System.Collections.Frozen;
using Microsoft.Extensions.Logging;
using Serve.Runtime.Turns;

namespace Serve.Runtime.CoreActors;

/// <summary>The mailboxes of one actor: its own and one for each concurrency group. Immutable.</summary>
internal sealed class ActorMailboxes
{
    private readonly (MailboxTurns Turns, CallerLanes Lanes) own;
    private readonly FrozenDictionary<string, (MailboxTurns Turns, CallerLanes Lanes)> groups;

    public ActorMailboxes(ConcurrencyMode mode, int limit, IReadOnlyDictionary<string, int> groups, ILogger logger, Action<IThreadPoolWorkItem> threads)
    {
        own = Create(limit);
        this.groups = groups.ToFrozenDictionary(group => group.Key, group => Create(group.Value), StringComparer.Ordinal);

        (MailboxTurns Turns, CallerLanes Lanes) Create(int limit)
        {
            MailboxTurns turns = mode == ConcurrencyMode.Parallel ? new ParallelTurns(logger, threads) : new TurnBasedTurns(logger, threads);
            turns.Limit = limit;
            return (turns, new(turns));
        }
    }

    public MailboxTurns Own => own.Turns;

    private IEnumerable<(MailboxTurns Turns, CallerLanes Lanes)> All => groups.Values.Prepend(own);

    /// <exception cref="ArgumentException">There is no such group.</exception>
    public MethodPlan Plan(Type type, string method, string? group)
    {
        var methods = MethodTable.For(type);
        var name = $"{type.Name}.{method}";
        group ??= methods.GroupOf(method);
        var traits = methods.TraitsOf(method);
        if (group is null)
            return new(method, name, own.Turns, own.Lanes, null, traits);
        if (groups.TryGetValue(group, out var found))
            return new(method, name, found.Turns, found.Lanes, group, traits);
        throw new ArgumentException(
            $"{method} is to run in concurrency group '{group}', which the actor does not have. "
            + (groups.Count == 0 ? "It has none: name them in ConcurrencyGroups." : $"It has: {string.Join(", ", groups.Keys.Order(StringComparer.Ordinal))}."));
    }

    public void Pause()
    {
        foreach (var (turns, _) in All)
            turns.Pause();
    }

    public void Resume()
    {
        foreach (var (turns, _) in All)
            turns.Resume();
    }

    public static void PutBack(IEnumerable<IActorCall> calls)
    {
        foreach (var group in calls.GroupBy(call => call.Plan.Turns))
            group.Key.PutBack(group);
    }

    /// <summary>Some of what waits.</summary>
    public IEnumerable<IActorCall> Waiting(int most) => All.SelectMany(mailbox => mailbox.Turns.Peek(most).OfType<IActorCall>().Concat(mailbox.Lanes.Waiting));

    /// <summary>What a turn runs at this moment.</summary>
    public IEnumerable<IActorCall> Current => All.Select(mailbox => mailbox.Turns.Current).OfType<IActorCall>();

    /// <summary>Takes all that waits out for good.</summary>
    public IEnumerable<IActorCall> Steal() => [.. All.SelectMany(mailbox => mailbox.Turns.Steal().Cast<IActorCall>().Concat(mailbox.Lanes.Steal()))];
}
