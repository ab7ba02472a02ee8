namespace Serve.Stress;

/// <summary>Actors in workers that have actors of their own, in workers and in this process, which are killed at all levels: each call is answered, and has run.</summary>
internal sealed class NestStorm
{
    // Each is one process or two, of some 60 MB each.
    private const int Nests = 4;

    // Beyond those of other actors' journals.
    private const int FirstJournal = 1_000_000;

    private readonly StressPlan plan;
    private readonly Verdict verdict;
    private readonly ActorHandle<Nest>[] nests;
    private readonly int[] made = new int[Nests];
    private readonly HashSet<int>[] answered = [.. Enumerable.Range(0, Nests).Select(_ => new HashSet<int>())];

    public NestStorm(Cluster ray, StressPlan plan, Verdict verdict)
    {
        (this.plan, this.verdict) = (plan, verdict);
        nests =
        [
            .. Enumerable.Range(0, Nests).Select(i => ray.Nest.Options(new() { Isolation = Isolation.Process, MaxRestarts = -1, MaxTaskRetries = -1 })
                .Remote(plan.Folder, FirstJournal + i, i % 2 == 0 ? Isolation.Process : Isolation.None)),
        ];
    }

    /// <summary>How many calls were made.</summary>
    public int Made => made.Sum();

    /// <summary>One call of each, checked when it ends.</summary>
    public IEnumerable<Task> Calls() => Enumerable.Range(0, Nests).Select(NoteAsync);

    /// <summary>Compares what was answered with what was called and with what has run.</summary>
    public void Settle()
    {
        for (var i = 0; i < Nests; i++)
        {
            var nest = i;
            var ran = Ledger.Read(plan.Folder, FirstJournal + i);
            verdict.Check(answered[i].Count == made[i], () => $"nest {nest}: {answered[nest].Count} of {made[nest]} calls were answered, though they are retried for ever");
            verdict.Check(answered[i].All(ran.ContainsKey), () => $"nest {nest}: calls were answered that its inner actor never ran: {string.Join(", ", answered[nest].Except(ran.Keys).Take(5))}");
        }
    }

    private async Task NoteAsync(int nest)
    {
        var call = Interlocked.Increment(ref made[nest]);
        try
        {
            var answer = await nests[nest].Note.Remote(call);
            verdict.Check(answer == call, () => $"nest {nest} answered {answer} instead of {call}");
            lock (answered[nest])
                answered[nest].Add(answer);
        }
        catch (Exception thrown)
        {
            verdict.Fail($"nest {nest}, call {call}: {thrown}");
        }
    }
}
