namespace Serve;

/// <summary>Starts lambdas as tasks, and says at once when one cannot travel to where it is to run.</summary>
internal static class LambdaTaskStarter
{
    public static ObjectRef<TResult> Start<TWork, TResult>(
        Cluster cluster, TWork work, bool isAsync, TaskOptions? options, Func<TWork, CancellationToken, ValueTask<TResult>> invoke)
        where TWork : Delegate
    {
        var function = FunctionOf(cluster, work, isAsync, options);
        return cluster.Submit(function, new LambdaMethodCall<TWork, TResult>(function, work, invoke), options);
    }

    public static ObjectRef<TResult> Start<TWork, T, TResult>(
        Cluster cluster, TWork work, Arg<T> argument, bool isAsync, TaskOptions? options, Func<TWork, T, CancellationToken, ValueTask<TResult>> invoke)
        where TWork : Delegate
    {
        var function = FunctionOf(cluster, work, isAsync, options);
        return cluster.Submit(function, new LambdaMethodCall<TWork, T, TResult>(function, work, argument, invoke), options);
    }

    public static ObjectRef<TResult> Start<TWork, T1, T2, TResult>(
        Cluster cluster, TWork work, Arg<T1> first, Arg<T2> second, bool isAsync, TaskOptions? options, Func<TWork, T1, T2, CancellationToken, ValueTask<TResult>> invoke)
        where TWork : Delegate
    {
        var function = FunctionOf(cluster, work, isAsync, options);
        return cluster.Submit(function, new LambdaMethodCall<TWork, T1, T2, TResult>(function, work, first, second, invoke), options);
    }

    private static LambdaRemoteFunction FunctionOf(Cluster cluster, Delegate work, bool isAsync, TaskOptions? options)
    {
        ArgumentNullException.ThrowIfNull(cluster);
        ArgumentNullException.ThrowIfNull(work);
        var function = LambdaRemoteFunction.Of(work, isAsync);
        if (function.TransferObstacle is { } why && cluster.RunsInWorkers(options is null or { Isolation: Isolation.Default } ? function.Defaults.Isolation : options.Isolation))
        {
            throw new NotSerializableException(
                $"The {function.Name} is to run in a worker process, but {why}. Pass what it needs as arguments, ray.Run(static x => …, x), or make it a method with [Remote]; or let it run in this process, with Isolation.None.");
        }

        return function;
    }
}
