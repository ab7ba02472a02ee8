namespace Serve.Runtime.Tasks;

/// <summary>
/// Waits of task code for a placement group. The CPU is released while it waits, possibly to that very group, and the code resumes before it has reacquired the
/// CPU.
/// </summary>
public static class PlacementGroupWait
{
    /// <summary>Starts a wait in the running task's code unless it already waits for the group.</summary>
    /// <param name="ready">Completes when the group is reserved.</param>
    /// <returns>Task that completes like <paramref name="ready"/>, after the wait has ended: code that continues has requested its CPU again.</returns>
    public static Task Begin(Task ready) =>
        !ready.IsCompleted && TaskContext.Current is { } context && !context.HasWait(ready) ? EndAsync(ready, context.BeginWait([], 0, ready)) : ready;

    private static async Task EndAsync(Task ready, ObjectRefWait wait)
    {
        await ready.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        wait.End(NoOpResumable.On);
        await ready.ConfigureAwait(false);
    }
}
