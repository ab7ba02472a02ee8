namespace Serve.Runtime.Tasks;

/// <summary>Waits of a task's code for a placement group: its CPU is lent meanwhile, perhaps to that very group, and the code goes on before it has it back. Holds no state.</summary>
internal static class PlacementGroupWait
{
    /// <summary>The code that runs here waits from here on, if it is a task's and does not do so already.</summary>
    /// <param name="ready">Completes when the group is reserved.</param>
    /// <param name="reserved">What stands for the group in its head.</param>
    /// <param name="group">The group's id, for the head, elsewhere.</param>
    /// <returns>What completes when the group is reserved.</returns>
    public static Task Begin(Task ready, IReadOnlyList<ObjectRef> reserved, string? group)
    {
        if (!ready.IsCompleted && TaskContext.Current is { } context && !context.HasWait(ready))
            _ = EndAsync(ready, context.BeginWait(new(context, reserved, reserved.Count, ready) { Group = group }));
        return ready;
    }

    private static async Task EndAsync(Task ready, ObjectRefWait wait)
    {
        await ready.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        wait.End(NoOpResumable.On);
    }
}
