namespace Serve.Stress;

/// <summary>
/// Actors of this process, which must count exactly, and actors in workers, which are killed: those that retry calls run each at least
/// once, those that do not at most once.
/// </summary>
internal sealed class ActorStorm
{
    private readonly StressPlan plan;
    private readonly Verdict verdict;
    private readonly ActorHandle<Counter>[] counters;
    private readonly ActorHandle<Ledger>[] ledgers;
    private readonly int[] counted;
    private readonly int[] noted;
    private readonly HashSet<int>[] answered;

    public ActorStorm(Cluster ray, StressPlan plan, Verdict verdict)
    {
        (this.plan, this.verdict) = (plan, verdict);
        var distant = Math.Min(Distant, plan.Actors / 2);
        counters = [.. Enumerable.Range(0, plan.Actors - distant).Select(_ => ray.Counter.Remote())];
        ledgers =
        [
            .. Enumerable.Range(0, distant).Select(i => ray.Ledger.Options(
                new() { Isolation = Isolation.Process, MaxRestarts = -1, MaxTaskRetries = Retries(i) ? -1 : 0 }).Remote(plan.Folder, i)),
        ];
        counted = new int[counters.Length];
        noted = new int[ledgers.Length];
        answered = [.. ledgers.Select(_ => new HashSet<int>())];
    }

    /// <summary>Each is a process of some 60 MB.</summary>
    public static int Distant => 16;

    /// <summary>One call of each of so many actors, checked when it ends.</summary>
    public IEnumerable<Task> Calls(Random random, int count)
    {
        for (var i = 0; i < count; i++)
            yield return i % 4 == 0 && ledgers.Length > 0 ? NoteAsync(random.Next(ledgers.Length)) : CountAsync(random.Next(counters.Length));
    }

    /// <summary>Compares what was answered with what was run.</summary>
    public async Task SettleAsync()
    {
        for (var i = 0; i < counters.Length; i++)
        {
            var (actor, expected) = (i, counted[i] + 1);
            var count = await counters[i].Increment.Remote();
            verdict.Check(count == expected, () => $"actor {actor} counted {count} instead of {expected}");
        }

        for (var i = 0; i < ledgers.Length; i++)
        {
            var actor = i;
            var ran = Ledger.Read(plan.Folder, i);
            verdict.Check(answered[i].All(ran.ContainsKey), () => $"ledger {actor}: calls were answered that never ran: {string.Join(", ", answered[actor].Except(ran.Keys).Take(5))}");
            if (Retries(i))
            {
                verdict.Check(answered[i].Count == noted[i], () => $"ledger {actor}: {answered[actor].Count} of {noted[actor]} calls were answered, though they are retried for ever");
            }
            else
            {
                var twice = ran.Where(call => call.Value > 1).Select(call => call.Key).ToArray();
                verdict.Check(twice.Length == 0, () => $"ledger {actor}: calls ran more than once: {string.Join(", ", twice.Take(5))}");
            }
        }
    }

    private static bool Retries(int ledger) => ledger % 2 == 0;

    private async Task CountAsync(int actor)
    {
        var expected = Interlocked.Increment(ref counted[actor]);
        try
        {
            // One caller makes its calls in order, so it also knows what each answers.
            var count = await counters[actor].Increment.Remote();
            verdict.Check(count == expected, () => $"actor {actor} answered {count} instead of {expected}");
        }
        catch (Exception thrown)
        {
            verdict.Fail($"actor {actor}: {thrown}");
        }
    }

    private async Task NoteAsync(int actor)
    {
        var call = Interlocked.Increment(ref noted[actor]);
        try
        {
            await ledgers[actor].Note.Remote(call);
            lock (answered[actor])
                answered[actor].Add(call);
            verdict.Check(true, () => "");
        }
        catch (Exception thrown) when (thrown is ActorDiedException or WorkerDiedException && !Retries(actor))
        {
            // It was killed under the call, which may or may not have run: the journal tells.
            verdict.Check(true, () => "");
        }
        catch (Exception thrown)
        {
            verdict.Fail($"ledger {actor}, call {call}: {thrown}");
        }
    }
}
