using Serve.Runtime.Wire;

namespace Serve.Runtime.Sessions;

/// <summary>The objects that one worker holds refs to: kept alive here until it lets go of them or ends. Its state is written under its lock.</summary>
internal sealed class LentRefs
{
    private readonly Lock sync = new();
    private readonly Dictionary<long, Loan> loans = [];

    public IReadOnlyList<ObjectRef> All
    {
        get
        {
            lock (sync)
                return [.. loans.Values.Select(loan => loan.Reference)];
        }
    }

    /// <summary>A message to the worker has a ref in it.</summary>
    public void Add(ObjectRef reference)
    {
        lock (sync)
        {
            if (loans.TryGetValue(reference.Id.Number, out var loan))
                loan.Count++;
            else
                loans.Add(reference.Id.Number, new(reference) { Count = 1 });
        }
    }

    public ObjectRef? Find(long id)
    {
        lock (sync)
            return loans.GetValueOrDefault(id)?.Reference;
    }

    public void Remove(Release release)
    {
        lock (sync)
        {
            for (var i = 0; i < release.Ids.Count; i++)
            {
                if (loans.TryGetValue(release.Ids[i], out var loan) && (loan.Count -= release.Counts[i]) <= 0)
                    loans.Remove(release.Ids[i]);
            }
        }
    }

    public void Clear()
    {
        lock (sync)
            loans.Clear();
    }

    private sealed class Loan(ObjectRef reference)
    {
        public ObjectRef Reference => reference;

        public int Count { get; set; }
    }
}
