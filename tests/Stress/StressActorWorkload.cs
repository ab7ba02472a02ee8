namespace Serve.Stress;

/// <summary>
/// In-process actors, which must count exactly, and actors in workers that are killed: actors that retry calls run each call at least
/// once, other actors at most once.
/// </summary>
internal sealed class StressActorWorkload
{
    private readonly StressRunPlan _plan;
    private readonly StressCheckResults _verdict;
    private readonly ActorHandle<StressCounter>[] _counters;
    private readonly ActorHandle<JournalingActor>[] _ledgers;
    private readonly int[] _counted;
    private readonly int[] _noted;
    private readonly HashSet<int>[] _answered;

    public StressActorWorkload(Cluster ray, StressRunPlan plan, StressCheckResults verdict)
    {
        (_plan, _verdict) = (plan, verdict);
        var distant = Math.Min(Distant, plan.Actors / 2);
        _counters = [.. Enumerable.Range(0, plan.Actors - distant).Select(_ => ray.StressCounter.Remote())];
        _ledgers =
        [
            .. Enumerable.Range(0, distant).Select(i => ray.JournalingActor.Options(
                new() { Isolation = Isolation.Process, MaxRestarts = -1, MaxTaskRetries = Retries(i) ? -1 : 0 }).Remote(plan.Folder, i)),
        ];
        _counted = new int[_counters.Length];
        _noted = new int[_ledgers.Length];
        _answered = [.. _ledgers.Select(_ => new HashSet<int>())];
    }

    /// <summary>Number of actors in workers. Each of them is a process of about 60 MB.</summary>
    public static int Distant => 16;

    /// <summary>Calls random actors and checks each result.</summary>
    public IEnumerable<Task> Calls(Random random, int count)
    {
        for (var i = 0; i < count; i++)
            yield return i % 4 == 0 && _ledgers.Length > 0 ? NoteAsync(random.Next(_ledgers.Length)) : CountAsync(random.Next(_counters.Length));
    }

    /// <summary>Compares the results with the journals of executed calls.</summary>
    public async Task SettleAsync()
    {
        for (var i = 0; i < _counters.Length; i++)
        {
            var (actor, expected) = (i, _counted[i] + 1);
            var count = await _counters[i].Increment.Remote();
            _verdict.Check(count == expected, () => $"actor {actor} counted {count} instead of {expected}");
        }

        for (var i = 0; i < _ledgers.Length; i++)
        {
            var actor = i;
            var ran = JournalingActor.Read(_plan.Folder, i);
            _verdict.Check(_answered[i].All(ran.ContainsKey), () => $"ledger {actor}: calls were answered that never ran: {string.Join(", ", _answered[actor].Except(ran.Keys).Take(5))}");
            if (Retries(i))
            {
                _verdict.Check(_answered[i].Count == _noted[i], () => $"ledger {actor}: {_answered[actor].Count} of {_noted[actor]} calls were answered, although they are retried without limit");
            }
            else
            {
                var twice = ran.Where(call => call.Value > 1).Select(call => call.Key).ToArray();
                _verdict.Check(twice.Length == 0, () => $"ledger {actor}: calls ran more than once: {string.Join(", ", twice.Take(5))}");
            }
        }
    }

    private static bool Retries(int ledger) => ledger % 2 == 0;

    private async Task CountAsync(int actor)
    {
        var expected = Interlocked.Increment(ref _counted[actor]);
        try
        {
            // Calls of one caller run in order, so each result is known in advance.
            var count = await _counters[actor].Increment.Remote();
            _verdict.Check(count == expected, () => $"actor {actor} answered {count} instead of {expected}");
        }
        catch (Exception thrown)
        {
            _verdict.Fail($"actor {actor}: {thrown}");
        }
    }

    private async Task NoteAsync(int actor)
    {
        var call = Interlocked.Increment(ref _noted[actor]);
        try
        {
            await _ledgers[actor].Note.Remote(call);
            lock (_answered[actor])
                _answered[actor].Add(call);
            _verdict.Check(true, () => "");
        }
        catch (Exception thrown) when (thrown is ActorDiedException or WorkerDiedException && !Retries(actor))
        {
            // The actor was killed during the call, which may or may not have run; the journal decides.
            _verdict.Check(true, () => "");
        }
        catch (Exception thrown)
        {
            _verdict.Fail($"ledger {actor}, call {call}: {thrown}");
        }
    }
}
