namespace Serve.Runtime.Tasks;

/// <summary>Waits of a task's code for something else than a ref: its CPU is lent meanwhile too. Holds no state.</summary>
internal static class CpuReleasingWait
{
    public static async Task WaitAsync(Task something, CancellationToken cancellationToken)
    {
        if (something.IsCompleted)
            return;
        var wait = TaskContext.Current?.BeginWait([], 0, flow: null);
        try
        {
            await something.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            if (wait is not null)
                await wait.EndAsync().ConfigureAwait(false);
        }
    }
}
