using Serve.Runtime.Methods;
using Serve.Runtime.Serialization;
using Serve.Runtime.Tasks;

namespace Serve.Runtime.Objects;

/// <summary>Lists the objects of a cluster.</summary>
internal static class ObjectStateLister
{
    /// <summary>Lists objects by id.</summary>
    /// <param name="stored">Objects in shared memory and on disk.</param>
    /// <param name="lent">Objects borrowed by workers, once per worker.</param>
    /// <param name="finished">Finished tasks, to name the creators of objects.</param>
    public static IReadOnlyList<ObjectState> List(IEnumerable<SharedMemoryObject> stored, IEnumerable<ObjectRef> lent, IEnumerable<FinishedTaskRecord> finished)
    {
        var borrowers = new Dictionary<ObjectRef, int>();
        foreach (var reference in lent)
            borrowers[reference] = borrowers.GetValueOrDefault(reference) + 1;
        var makers = new Dictionary<long, string>();
        foreach (var task in finished)
            makers[task.Id] = task.Name;
        var listed = new List<(long Number, ObjectState State)>();
        var seen = new HashSet<ObjectRef>();
        foreach (var shared in stored)
        {
            var reference = shared.Reference is { } weak && weak.TryGetTarget(out var alive) ? alive : null;
            if (reference is null || seen.Add(reference))
                listed.Add((reference?.Id.Number ?? 0, State(reference, shared, shared.Size, borrowers, makers)));
            else
                listed[listed.FindIndex(entry => entry.Number == reference.Id.Number)] = (reference.Id.Number, State(reference, shared, reference.Stored?.Size ?? shared.Size, borrowers, makers));
        }

        foreach (var reference in borrowers.Keys)
        {
            if (reference.IsReady && !reference.IsFaulted && seen.Add(reference))
                listed.Add((reference.Id.Number, State(reference, null, reference.Stored?.Size ?? 0, borrowers, makers)));
        }

        return [.. listed.OrderBy(entry => entry.Number).Select(entry => entry.State)];
    }

    private static ObjectState State(ObjectRef? reference, SharedMemoryObject? shared, long size, Dictionary<ObjectRef, int> borrowers, Dictionary<long, string> makers) => new()
    {
        ObjectId = reference?.Id.ToString() ?? "",
        Size = size,
        Location = shared is null ? "memory" : shared.IsSpilled ? "disk" : "shared_memory",
        Type = CSharpTypeNames.Format(reference?.ValueType is { } type && type != typeof(object) ? type : shared?.Shape.Stored ?? (reference?.Stored as EncodedObject)?.Shape.Stored ?? typeof(object)),

        // The id of a task is the id of its result.
        CreatedBy = reference is null ? "argument" : shared?.CreatedBy ?? makers.GetValueOrDefault(reference.Id.Number) ?? (shared is null ? null : "Put"),
        Borrowers = reference is null ? 0 : borrowers.GetValueOrDefault(reference),
    };
}
