using Serve.Runtime.CoreActors;
using Serve.Runtime.Wire;

namespace Serve.Runtime.Sessions;

/// <summary>The objects that one worker holds refs to, and the actors that it holds handles to: kept alive here until it lets go of them or ends. Its state is written under its lock.</summary>
internal sealed class LentRefs
{
    private readonly Lock sync = new();
    private readonly Dictionary<long, Loan> loans = [];
    private bool isClosed;

    public IReadOnlyList<ObjectRef> All
    {
        get
        {
            lock (sync)
                return [.. loans.Values.Where(loan => loan.Actor is null).Select(loan => loan.Reference)];
        }
    }

    /// <summary>A message to the worker has a ref in it.</summary>
    public void Add(ObjectRef reference)
    {
        lock (sync)
            Count(reference);
    }

    /// <summary>A message to the worker has a handle in it. The actor counts one handle for all that the worker has.</summary>
    public void Add(CoreActor actor)
    {
        lock (sync)
        {
            if (Count(actor.Created) is not { Actor: null } loan)
                return;
            loan.Actor = actor;
            actor.TryAddHandle();
        }
    }

    public ObjectRef? Find(long id)
    {
        lock (sync)
            return loans.GetValueOrDefault(id)?.Reference;
    }

    public CoreActor? FindActor(long number)
    {
        lock (sync)
            return loans.GetValueOrDefault(number)?.Actor;
    }

    public void Remove(Release release)
    {
        List<CoreActor>? left = null;
        lock (sync)
        {
            for (var i = 0; i < release.Ids.Count; i++)
            {
                if (!loans.TryGetValue(release.Ids[i], out var loan) || (loan.Count -= release.Counts[i]) > 0)
                    continue;
                loans.Remove(release.Ids[i]);
                if (loan.Actor is { } actor)
                    (left ??= []).Add(actor);
            }
        }

        foreach (var actor in left ?? [])
            actor.OnHandleGone();
    }

    /// <summary>The worker has ended; what was still on its way to it is not lent.</summary>
    public void Close()
    {
        CoreActor[] left;
        lock (sync)
        {
            isClosed = true;
            left = [.. loans.Values.Select(loan => loan.Actor).OfType<CoreActor>()];
            loans.Clear();
        }

        foreach (var actor in left)
            actor.OnHandleGone();
    }

    // Under the lock.
    private Loan? Count(ObjectRef reference)
    {
        if (isClosed)
            return null;
        if (!loans.TryGetValue(reference.Id.Number, out var loan))
            loans.Add(reference.Id.Number, loan = new(reference));
        loan.Count++;
        return loan;
    }

    private sealed class Loan(ObjectRef reference)
    {
        public ObjectRef Reference => reference;

        /// <summary>The actor that the worker has a handle to, when it is more than a ref.</summary>
        public CoreActor? Actor { get; set; }

        public int Count { get; set; }
    }
}
