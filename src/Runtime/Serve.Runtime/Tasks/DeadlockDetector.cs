namespace Serve.Runtime.Tasks;

/// <summary>
/// Finds tasks and calls that wait for each other in a circle, and fails what one of them waits for. Looks at whoever waits for longer than a
/// moment: what is found twice without having changed between was all there at once, and can never end. Written by its own looks.
/// </summary>
/// <param name="observe">Adds who waits and who holds what.</param>
/// <param name="time">The clock of its looks.</param>
internal sealed class DeadlockDetector(Action<WaitingTaskSnapshot> observe, TimeProvider time) : LongWaitPoller(time)
{
    private HashSet<(ObjectRef Object, object Since)> _before = [];

    /// <summary>Who holds resources and waits, as the look that goes on has found it.</summary>
    public IReadOnlyList<WaitingResourceHolder> Holders { get; private set; } = [];

    protected override bool Look()
    {
        var seen = new WaitingTaskSnapshot();
        observe(seen);
        Holders = seen.Holders;
        var graph = new DeadlockWaitGraph(seen.Waiting);
        Holders = [];
        graph.Reduce(static (_, _) => true);
        var unmet = graph.Unmet.ToHashSet();
        if (unmet.Count > 0 && _before.Count > 0)
            Break(graph);
        _before = unmet;
        return seen.Waiting.Count > 0;
    }

    private void Break(DeadlockWaitGraph graph)
    {
        while (true)
        {
            graph.Reduce((reference, need) => _before.Contains((reference, need.WaitIdentity)));
            var circle = graph.FindCircle();

            // The youngest is what the others can best do without.
            ObjectRef? awaited = null;
            for (var i = 0; i < circle.Count; i++)
            {
                var next = circle[(i + 1) % circle.Count].Object;
                if (circle[i].Need.WaitIdentity is ObjectRefWait && (awaited is null || next.Id.Number > awaited.Id.Number))
                    awaited = next;
            }

            if (awaited is null)
                return;
            var failure = new DeadlockException(graph.Describe(circle));
            if (awaited.Producer is { } producer)
                producer.Fail(failure);
            awaited.TrySetException(failure);
        }
    }
}
