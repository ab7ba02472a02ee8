using System.Collections.Frozen;
using Microsoft.Extensions.Logging;
using Serve.Runtime.Turns;

namespace Serve.Runtime.Actors;

/// <summary>The mailboxes of one actor: the default one and one for each concurrency group. Immutable.</summary>
public sealed class ActorMailboxSet
{
    private readonly (MailboxTurnScheduler Turns, CallerArgumentQueues Lanes) _own;
    private readonly FrozenDictionary<string, (MailboxTurnScheduler Turns, CallerArgumentQueues Lanes)> _groups;

    public ActorMailboxSet(ConcurrencyMode mode, int limit, IReadOnlyDictionary<string, int> groups, ILogger logger, Action<IThreadPoolWorkItem> threads)
    {
        _own = Create(limit);
        _groups = groups.ToFrozenDictionary(group => group.Key, group => Create(group.Value), StringComparer.Ordinal);

        (MailboxTurnScheduler Turns, CallerArgumentQueues Lanes) Create(int limit)
        {
            MailboxTurnScheduler turns = mode == ConcurrencyMode.Parallel ? new ParallelTurnScheduler(logger, threads) : new TurnBasedScheduler(logger, threads);
            turns.Limit = limit;
            return (turns, new(turns));
        }
    }

    public MailboxTurnScheduler Own => _own.Turns;

    private IEnumerable<(MailboxTurnScheduler Turns, CallerArgumentQueues Lanes)> All => _groups.Values.Prepend(_own);

    /// <exception cref="ArgumentException">The actor has no such concurrency group.</exception>
    public ActorMethodPlan Plan(Type type, string method, string? group)
    {
        var methods = ActorMethodTable.For(type);
        var name = $"{type.Name}.{method}";
        group ??= methods.GroupOf(method);
        var traits = methods.TraitsOf(method);
        if (group is null)
            return new(method, name, _own.Turns, _own.Lanes, null, traits);
        if (_groups.TryGetValue(group, out var found))
            return new(method, name, found.Turns, found.Lanes, group, traits);
        throw new ArgumentException(
            $"Unknown concurrency group '{group}' for {method}. "
            + (_groups.Count == 0 ? "The actor has no groups: declare them in ConcurrencyGroups." : $"Groups of the actor: {string.Join(", ", _groups.Keys.Order(StringComparer.Ordinal))}."));
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

    internal static void PutBack(IEnumerable<IPendingActorCall> calls)
    {
        foreach (var group in calls.GroupBy(call => call.Plan.Turns))
            group.Key.PutBack(group);
    }

    /// <summary>Returns a sample of the waiting calls.</summary>
    internal IEnumerable<IPendingActorCall> Waiting(int most) => All.SelectMany(mailbox => mailbox.Turns.Peek(most).OfType<IPendingActorCall>().Concat(mailbox.Lanes.Waiting));

    /// <summary>The calls whose first turn is running.</summary>
    internal IEnumerable<IPendingActorCall> Current => All.Select(mailbox => mailbox.Turns.Current).OfType<IPendingActorCall>();

    /// <summary>Removes all waiting calls.</summary>
    internal IEnumerable<IPendingActorCall> RemoveAll() => [.. All.SelectMany(mailbox => mailbox.Turns.RemoveAll().Cast<IPendingActorCall>().Concat(mailbox.Lanes.RemoveAll()))];
}
