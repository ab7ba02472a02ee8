using Serve.Runtime.Tasks;

namespace Serve.Runtime.Parallel;

/// <summary>
/// Starts delegates of this process as tasks that hold one CPU of the cluster each, so that maps share the CPUs with everything else. In a worker, whose own
/// task already holds its CPU, they run on the .NET thread pool.
/// </summary>
internal static class LocalTaskStarter
{
    private static readonly RemoteFunction Synchronous = new(typeof(LocalTaskStarter), "Map", isAsync: false, new() { MaxRetries = 0 });
    private static readonly RemoteFunction Asynchronous = new(typeof(LocalTaskStarter), "Map", isAsync: true, new() { MaxRetries = 0 });

    /// <summary>Returns how many such tasks run concurrently.</summary>
    public static int GetParallelism(Cluster cluster) =>
        cluster is ILocalTaskHost host ? (int)Math.Clamp(host.LocalCpus, 1, 1024) : 1;

    public static ObjectRef<TResult> Start<TResult>(Cluster cluster, string name, bool isAsync, Func<CancellationToken, ValueTask<TResult>> body) =>
        Start(cluster, 1, name, isAsync, body)[0];

    /// <summary>Starts several tasks that run the same code.</summary>
    public static ObjectRef<TResult>[] Start<TResult>(Cluster cluster, int count, string name, bool isAsync, Func<CancellationToken, ValueTask<TResult>> body)
    {
        if (cluster is ILocalTaskHost host)
        {
            // Asynchronous code mostly waits, many items at once: it is limited by its own concurrency, not by CPUs.
            var cpus = isAsync ? 0 : Math.Min(1, host.LocalCpus);
            var options = new TaskOptions { Name = name, NumCpus = cpus, Isolation = Isolation.None };
            return host.Tasks.Submit(isAsync ? Asynchronous : Synchronous, count, () => new InProcessCodeCall<TResult>(body), options);
        }

        var references = new ObjectRef<TResult>[count];
        for (var i = 0; i < count; i++)
            references[i] = StartOnPool(cluster, body);
        return references;
    }

    private static ObjectRef<TResult> StartOnPool<TResult>(Cluster cluster, Func<CancellationToken, ValueTask<TResult>> body)
    {
        var reference = new ObjectRef<TResult>(cluster, default);
        var context = TaskContext.Current;
        _ = Task.Run(async () =>
        {
            TaskContext.SetFlowing(context);
            try
            {
                reference.TrySetResult(await body(CancellationToken.None).ConfigureAwait(false));
            }
            catch (Exception thrown)
            {
                reference.TrySetException(thrown as ServeException ?? new UserCodeException(thrown));
            }
        });
        return reference;
    }
}

/// <summary>Cluster whose tasks run in this process.</summary>
internal interface ILocalTaskHost
{
    TaskDispatcher Tasks { get; }

    /// <summary>CPUs for tasks in this process.</summary>
    double LocalCpus { get; }
}
