namespace Serve.Runtime.Tasks;

/// <summary>Waits of task code for something other than an object. The CPU is released to other tasks while it waits.</summary>
public static class CpuReleasingWait
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
