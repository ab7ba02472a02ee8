using Serve.Runtime.Actors;
using Serve.Runtime.Wire;

namespace Serve.Runtime.Workers.Connections;

/// <summary>Objects and actors that one worker holds references and handles to: kept alive by the driver until the worker releases them or exits. State is written under the lock.</summary>
internal sealed class LentObjects
{
    private readonly Lock _sync = new();
    private readonly Dictionary<long, LentObjectEntry> _loans = [];
    private bool _isClosed;

    public IReadOnlyList<ObjectRef> All
    {
        get
        {
            lock (_sync)
                return [.. _loans.Values.Where(loan => loan.Actor is null).Select(loan => loan.Reference)];
        }
    }

    /// <summary>Counts a reference in a message to the worker.</summary>
    public void Add(ObjectRef reference)
    {
        lock (_sync)
            Count(reference);
    }

    /// <summary>Counts a handle in a message to the worker. The actor counts one handle for all that the worker holds.</summary>
    public void Add(ActorCallQueue actor)
    {
        lock (_sync)
        {
            if (Count(actor.Created) is not { Actor: null } loan)
                return;
            loan.Actor = actor;
            actor.Actor.TryAddHandle();
        }
    }

    public ObjectRef? Find(long id)
    {
        lock (_sync)
            return _loans.GetValueOrDefault(id)?.Reference;
    }

    public ActorCallQueue? FindActor(long number)
    {
        lock (_sync)
            return _loans.GetValueOrDefault(number)?.Actor;
    }

    public void Remove(Release release)
    {
        List<ActorCallQueue>? left = null;
        lock (_sync)
        {
            for (var i = 0; i < release.Ids.Count; i++)
            {
                if (!_loans.TryGetValue(release.Ids[i], out var loan) || (loan.Count -= release.Counts[i]) > 0)
                    continue;
                _loans.Remove(release.Ids[i]);
                if (loan.Actor is { } actor)
                    (left ??= []).Add(actor);
            }
        }

        foreach (var actor in left ?? [])
            actor.Actor.ReleaseHandle();
    }

    /// <summary>Releases everything after the worker has exited; later additions are ignored.</summary>
    public void Close()
    {
        ActorCallQueue[] left;
        lock (_sync)
        {
            _isClosed = true;
            left = [.. _loans.Values.Select(loan => loan.Actor).OfType<ActorCallQueue>()];
            _loans.Clear();
        }

        foreach (var actor in left)
            actor.Actor.ReleaseHandle();
    }

    // Under the lock.
    private LentObjectEntry? Count(ObjectRef reference)
    {
        if (_isClosed)
            return null;
        if (!_loans.TryGetValue(reference.Id.Number, out var loan))
            _loans.Add(reference.Id.Number, loan = new(reference));
        loan.Count++;
        return loan;
    }

    private sealed class LentObjectEntry(ObjectRef reference)
    {
        public ObjectRef Reference => reference;

        /// <summary>The actor, if the worker holds a handle and not only a reference.</summary>
        public ActorCallQueue? Actor { get; set; }

        public int Count { get; set; }
    }
}
