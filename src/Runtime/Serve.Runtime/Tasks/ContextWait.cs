using Serve.Runtime.Clusters;

namespace Serve.Runtime.Tasks;

/// <summary>Waits of a task's code for something else than a ref: its CPU is lent meanwhile too. Holds no state.</summary>
internal static class ContextWait
{
    public static async Task WaitAsync(Task something, CancellationToken cancellationToken)
    {
        if (something.IsCompleted)
            return;
        var context = TaskContext.Current;
        var wait = context?.BeginWait([], flow: null);
        var entered = (context?.Cluster as RuntimeCluster)?.BeginWait([]);
        try
        {
            await something.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            entered?.Dispose();
            if (wait is not null)
                await wait.EndAsync().ConfigureAwait(false);
        }
    }
}
