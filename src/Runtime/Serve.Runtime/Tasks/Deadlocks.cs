using System.Text;

namespace Serve.Runtime.Tasks;

/// <summary>
/// Finds tasks and calls that wait for each other in a circle. Followed are only steps that cannot be taken otherwise: a task that has not
/// started and its arguments, code and the refs that it cannot go on without, a call and the one that it is queued behind. Whoever
/// begins to wait looks, after it has said so: of several at once the last one sees the circle. Holds no state.
/// </summary>
internal static class Deadlocks
{
    /// <summary>Fails the awaited ref that leads back to the task, if there is one: whoever waits for it gets the <see cref="DeadlockException"/>.</summary>
    /// <param name="task">The task whose code waits.</param>
    /// <param name="awaited">What it waits for.</param>
    public static void Break(ObjectId task, IReadOnlyList<ObjectRef> awaited)
    {
        for (var i = 0; i < awaited.Count; i++)
        {
            if (awaited[i] is { IsReady: false } reference && (reference.Id == task || reference.Producer is { IsBlocked: true }) && Find(task, reference) is { } circle)
                reference.TrySetException(new DeadlockException(circle));
        }
    }

    // Breadth first, so that the circle told is the shortest one.
    private static string? Find(ObjectId task, ObjectRef start)
    {
        var steps = new List<(ObjectRef Reference, int From)> { (start, -1) };
        var seen = new HashSet<ObjectId> { start.Id };
        var blockers = new List<ObjectRef>();
        for (var at = 0; at < steps.Count; at++)
        {
            if (steps[at].Reference.Id == task)
                return Describe(steps, at);
            if (steps[at].Reference.Producer is not { IsBlocked: true } producer)
                continue;
            blockers.Clear();
            producer.AddBlockers(blockers);
            foreach (var blocker in blockers)
            {
                if (!blocker.IsReady && seen.Add(blocker.Id))
                    steps.Add((blocker, at));
            }
        }

        return null;
    }

    private static string Describe(List<(ObjectRef Reference, int From)> steps, int last)
    {
        var circle = new List<string>();
        for (var at = last; at >= 0; at = steps[at].From)
            circle.Add(Label(steps[at].Reference));
        circle.Add(Label(steps[last].Reference));
        circle.Reverse();
        var text = new StringBuilder("These wait for each other and can never end:");
        for (var i = 0; i + 1 < circle.Count; i++)
            text.AppendLine().Append("  ").Append(circle[i]).Append(" waits for ").Append(circle[i + 1]);
        return text.AppendLine().Append("Let one of them go on without the other: pass refs as arguments instead of waiting for them inside, or wait with a timeout.").ToString();
    }

    private static string Label(ObjectRef reference) => reference.Producer?.Label ?? $"object {reference.Id}";
}
