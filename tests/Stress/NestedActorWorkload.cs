namespace Serve.Stress;

/// <summary>Actors in workers with nested actors in workers and in this process, which are killed at all levels: each call completes and was executed.</summary>
internal sealed class NestedActorWorkload
{
    // Each of them uses one or two processes of about 60 MB.
    private const int Nests = 4;

    // Larger than the numbers of other actors' journals.
    private const int FirstJournal = 1_000_000;

    private readonly StressRunPlan _plan;
    private readonly StressCheckResults _verdict;
    private readonly ActorHandle<NestingActor>[] _nests;
    private readonly int[] _made = new int[Nests];
    private readonly HashSet<int>[] _answered = [.. Enumerable.Range(0, Nests).Select(_ => new HashSet<int>())];

    public NestedActorWorkload(Cluster ray, StressRunPlan plan, StressCheckResults verdict)
    {
        (_plan, _verdict) = (plan, verdict);
        _nests =
        [
            .. Enumerable.Range(0, Nests).Select(i => ray.NestingActor.Options(new() { Isolation = Isolation.Process, MaxRestarts = -1, MaxTaskRetries = -1 })
                .Remote(plan.Folder, FirstJournal + i, i % 2 == 0 ? Isolation.Process : Isolation.None)),
        ];
    }

    /// <summary>Number of calls.</summary>
    public int Made => _made.Sum();

    /// <summary>Calls each actor once and checks the result.</summary>
    public IEnumerable<Task> Calls() => Enumerable.Range(0, Nests).Select(NoteAsync);

    /// <summary>Compares the results with the calls and with the journals.</summary>
    public void Settle()
    {
        for (var i = 0; i < Nests; i++)
        {
            var nest = i;
            var ran = JournalingActor.Read(_plan.Folder, FirstJournal + i);
            _verdict.Check(_answered[i].Count == _made[i], () => $"nest {nest}: {_answered[nest].Count} of {_made[nest]} calls were answered, although they are retried without limit");
            _verdict.Check(_answered[i].All(ran.ContainsKey), () => $"nest {nest}: calls were answered that its inner actor never ran: {string.Join(", ", _answered[nest].Except(ran.Keys).Take(5))}");
        }
    }

    private async Task NoteAsync(int nest)
    {
        var call = Interlocked.Increment(ref _made[nest]);
        try
        {
            var answer = await _nests[nest].Note.Remote(call);
            _verdict.Check(answer == call, () => $"nest {nest} answered {answer} instead of {call}");
            lock (_answered[nest])
                _answered[nest].Add(answer);
        }
        catch (Exception thrown)
        {
            _verdict.Fail($"nest {nest}, call {call}: {thrown}");
        }
    }
}
