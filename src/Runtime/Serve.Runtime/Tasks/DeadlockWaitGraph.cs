using System.Text;

namespace Serve.Runtime.Tasks;

/// <summary>
/// Objects that are not there yet, and what their makers need. Whoever needs nothing goes on; whoever needs only what comes does too; who is
/// left never comes. (Reduction of an and-or graph, as R. C. Holt has it in "Some Deadlock Properties of Computer Systems", 1972.) Made
/// and asked by one thread.
/// </summary>
internal sealed class DeadlockWaitGraph
{
    private readonly Dictionary<ObjectRef, List<ObjectDependency>> _needs = new(ReferenceEqualityComparer.Instance);
    private readonly HashSet<ObjectRef> _stuck = new(ReferenceEqualityComparer.Instance);

    private Func<ObjectRef, ObjectDependency, bool> _counts = static (_, _) => true;

    // What is needed stands before who needs it, but for circles.
    private readonly List<ObjectRef> _ordered = [];

    public DeadlockWaitGraph(IEnumerable<ObjectRef> starts)
    {
        foreach (var start in starts)
            Follow(start);
    }

    /// <summary>What is needed and never comes.</summary>
    public IEnumerable<(ObjectRef Object, object Since)> Unmet =>
        _stuck.SelectMany(reference => _needs[reference].Where(need => !need.IsSatisfied(Comes)).Select(need => (reference, need.WaitIdentity)));

    /// <summary>Finds out who never comes.</summary>
    /// <param name="counting">Which needs count.</param>
    public void Reduce(Func<ObjectRef, ObjectDependency, bool> counting)
    {
        _counts = counting;
        _stuck.Clear();
        _stuck.UnionWith(_ordered);
        bool changed;
        do
        {
            changed = false;
            foreach (var reference in _ordered)
            {
                if (_stuck.Contains(reference) && NeedOf(reference) is null)
                    changed |= _stuck.Remove(reference);
            }
        }
        while (changed);
    }

    /// <summary>A circle of those who never come, and the need of each that the next one would meet; empty when there is none.</summary>
    public IReadOnlyList<(ObjectRef Object, ObjectDependency Need)> FindCircle()
    {
        var path = new List<(ObjectRef Object, ObjectDependency Need)>();
        var places = new Dictionary<ObjectRef, int>(ReferenceEqualityComparer.Instance);
        for (var at = _stuck.FirstOrDefault(); at is not null;)
        {
            if (!places.TryAdd(at, path.Count))
                return path[places[at]..];

            // Something has come meanwhile: the next look sees what is left.
            if (NeedOf(at) is not { } need)
                break;
            path.Add((at, need));
            at = need.CandidateObjects.FirstOrDefault(_stuck.Contains);
        }

        return [];
    }

    /// <summary>Tells a circle to people.</summary>
    public string Describe(IReadOnlyList<(ObjectRef Object, ObjectDependency Need)> circle)
    {
        var text = new StringBuilder("These wait for each other and can never end:");
        for (var i = 0; i < circle.Count; i++)
            text.AppendLine().Append("  ").Append(Label(circle[i].Object)).Append(' ').Append(circle[i].Need.Describe(Label(circle[(i + 1) % circle.Count].Object), Comes));
        return text.AppendLine().Append("Let one of them go on without the other: pass refs as arguments instead of waiting for them inside, or wait with a timeout.").ToString();
    }

    private static string Label(ObjectRef reference) => reference.Producer?.Label ?? $"object {reference.Id}";

    /// <summary>What it goes without.</summary>
    private ObjectDependency? NeedOf(ObjectRef reference) => _needs[reference].Find(need => !need.IsSatisfied(Comes) && _counts(reference, need));

    private bool Comes(ObjectRef reference) => reference.IsReady || !_stuck.Contains(reference);

    private void Follow(ObjectRef start)
    {
        var open = new Stack<(ObjectRef Reference, bool IsFollowed)>();
        open.Push((start, false));
        var found = new List<ObjectDependency>();
        while (open.TryPop(out var top))
        {
            if (top.IsFollowed)
            {
                _ordered.Add(top.Reference);
                continue;
            }

            if (top.Reference.IsReady || _needs.ContainsKey(top.Reference))
                continue;
            top.Reference.Producer?.AddDependencies(found);
            if (found.Count == 0)
                continue;
            _needs.Add(top.Reference, found);
            open.Push((top.Reference, true));
            foreach (var need in found)
            {
                foreach (var next in need.CandidateObjects)
                    open.Push((next, false));
            }

            found = [];
        }
    }
}
