using System.Runtime.CompilerServices;

namespace Serve;

/// <summary>
/// Lambdas as tasks: <c>ray.Run(() => Work())</c>. In this process any lambda can run; to a worker process travels one that captures nothing, by
/// the name that the compiler gave it, and what it needs to know goes with it as arguments: <c>ray.Run(static x => x * 2, 21)</c>.
/// </summary>
public static class ClusterRun
{
    /// <summary>Runs a lambda as a task.</summary>
    /// <param name="cluster">The cluster.</param>
    /// <param name="work">The lambda.</param>
    /// <param name="options">How it is to run. Default: as the cluster says, on one CPU.</param>
    /// <returns>A ref that is ready when it has run.</returns>
    /// <exception cref="NotSerializableException">It is to run in a worker process but captures variables.</exception>
    public static ObjectRef<object?> Run(this Cluster cluster, Action work, TaskOptions? options = null) =>
        LambdaTaskStarter.Start(cluster, work, isAsync: false, options, static (work, _) =>
        {
            work();
            return default(ValueTask<object?>);
        });

    /// <summary>Runs an asynchronous lambda as a task.</summary>
    /// <param name="cluster">The cluster.</param>
    /// <param name="work">The lambda.</param>
    /// <param name="options">How it is to run. Default: as the cluster says, on one CPU.</param>
    /// <returns>A ref that is ready when it has run.</returns>
    /// <exception cref="NotSerializableException">It is to run in a worker process but captures variables.</exception>
    public static ObjectRef<object?> Run(this Cluster cluster, Func<Task> work, TaskOptions? options = null) =>
        LambdaTaskStarter.Start(cluster, work, isAsync: true, options, static async (work, _) =>
        {
            await work().ConfigureAwait(false);
            return default(object?);
        });

    /// <summary>Runs a lambda as a task.</summary>
    /// <typeparam name="TResult">The result's type.</typeparam>
    /// <param name="cluster">The cluster.</param>
    /// <param name="work">The lambda.</param>
    /// <param name="options">How it is to run. Default: as the cluster says, on one CPU.</param>
    /// <returns>A ref to its result.</returns>
    /// <exception cref="NotSerializableException">It is to run in a worker process but captures variables.</exception>
    public static ObjectRef<TResult> Run<TResult>(this Cluster cluster, Func<TResult> work, TaskOptions? options = null) =>
        LambdaTaskStarter.Start(cluster, work, isAsync: false, options, static (work, _) => new ValueTask<TResult>(work()));

    /// <summary>Runs an asynchronous lambda as a task.</summary>
    /// <typeparam name="TResult">The result's type.</typeparam>
    /// <param name="cluster">The cluster.</param>
    /// <param name="work">The lambda.</param>
    /// <param name="options">How it is to run. Default: as the cluster says, on one CPU.</param>
    /// <returns>A ref to its result.</returns>
    /// <exception cref="NotSerializableException">It is to run in a worker process but captures variables.</exception>
    public static ObjectRef<TResult> Run<TResult>(this Cluster cluster, Func<Task<TResult>> work, TaskOptions? options = null) =>
        LambdaTaskStarter.Start(cluster, work, isAsync: true, options, static (work, _) => new ValueTask<TResult>(work()));

    /// <summary>Runs an asynchronous lambda that can be cancelled as a task.</summary>
    /// <param name="cluster">The cluster.</param>
    /// <param name="work">The lambda.</param>
    /// <param name="options">How it is to run. Default: as the cluster says, on one CPU.</param>
    /// <returns>A ref that is ready when it has run.</returns>
    /// <exception cref="NotSerializableException">It is to run in a worker process but captures variables.</exception>
    public static ObjectRef<object?> Run(this Cluster cluster, Func<CancellationToken, Task> work, TaskOptions? options = null) =>
        LambdaTaskStarter.Start(cluster, work, isAsync: true, options, static async (work, stop) =>
        {
            await work(stop).ConfigureAwait(false);
            return default(object?);
        });

    /// <summary>Runs a lambda that can be cancelled as a task.</summary>
    /// <typeparam name="TResult">The result's type.</typeparam>
    /// <param name="cluster">The cluster.</param>
    /// <param name="work">The lambda.</param>
    /// <param name="options">How it is to run. Default: as the cluster says, on one CPU.</param>
    /// <returns>A ref to its result.</returns>
    /// <exception cref="NotSerializableException">It is to run in a worker process but captures variables.</exception>
    public static ObjectRef<TResult> Run<TResult>(this Cluster cluster, Func<CancellationToken, TResult> work, TaskOptions? options = null) =>
        LambdaTaskStarter.Start(cluster, work, isAsync: false, options, static (work, stop) => new ValueTask<TResult>(work(stop)));

    /// <summary>Runs an asynchronous lambda that can be cancelled as a task.</summary>
    /// <typeparam name="TResult">The result's type.</typeparam>
    /// <param name="cluster">The cluster.</param>
    /// <param name="work">The lambda.</param>
    /// <param name="options">How it is to run. Default: as the cluster says, on one CPU.</param>
    /// <returns>A ref to its result.</returns>
    /// <exception cref="NotSerializableException">It is to run in a worker process but captures variables.</exception>
    public static ObjectRef<TResult> Run<TResult>(this Cluster cluster, Func<CancellationToken, Task<TResult>> work, TaskOptions? options = null) =>
        LambdaTaskStarter.Start(cluster, work, isAsync: true, options, static (work, stop) => new ValueTask<TResult>(work(stop)));

    /// <summary>Runs a lambda with an argument as a task.</summary>
    /// <typeparam name="T">The argument's type.</typeparam>
    /// <param name="cluster">The cluster.</param>
    /// <param name="work">The lambda.</param>
    /// <param name="argument">Its argument.</param>
    /// <param name="options">How it is to run. Default: as the cluster says, on one CPU.</param>
    /// <returns>A ref that is ready when it has run.</returns>
    /// <exception cref="NotSerializableException">It is to run in a worker process but captures variables.</exception>
    public static ObjectRef<object?> Run<T>(this Cluster cluster, Action<T> work, T argument, TaskOptions? options = null) =>
        LambdaTaskStarter.Start(cluster, work, Arg.ForTask<T>(argument), isAsync: false, options, static (work, a, _) =>
        {
            work(a);
            return default(ValueTask<object?>);
        });

    /// <summary>Runs an asynchronous lambda with an argument as a task.</summary>
    /// <typeparam name="T">The argument's type.</typeparam>
    /// <param name="cluster">The cluster.</param>
    /// <param name="work">The lambda.</param>
    /// <param name="argument">Its argument.</param>
    /// <param name="options">How it is to run. Default: as the cluster says, on one CPU.</param>
    /// <returns>A ref that is ready when it has run.</returns>
    /// <exception cref="NotSerializableException">It is to run in a worker process but captures variables.</exception>
    public static ObjectRef<object?> Run<T>(this Cluster cluster, Func<T, Task> work, T argument, TaskOptions? options = null) =>
        LambdaTaskStarter.Start(cluster, work, Arg.ForTask<T>(argument), isAsync: true, options, static async (work, a, _) =>
        {
            await work(a).ConfigureAwait(false);
            return default(object?);
        });

    /// <summary>Runs a lambda with an argument as a task.</summary>
    /// <typeparam name="T">The argument's type.</typeparam>
    /// <typeparam name="TResult">The result's type.</typeparam>
    /// <param name="cluster">The cluster.</param>
    /// <param name="work">The lambda.</param>
    /// <param name="argument">Its argument.</param>
    /// <param name="options">How it is to run. Default: as the cluster says, on one CPU.</param>
    /// <returns>A ref to its result.</returns>
    /// <exception cref="NotSerializableException">It is to run in a worker process but captures variables.</exception>
    public static ObjectRef<TResult> Run<T, TResult>(this Cluster cluster, Func<T, TResult> work, T argument, TaskOptions? options = null) =>
        LambdaTaskStarter.Start(cluster, work, Arg.ForTask<T>(argument), isAsync: false, options, static (work, a, _) => new ValueTask<TResult>(work(a)));

    /// <summary>Runs an asynchronous lambda with an argument as a task.</summary>
    /// <typeparam name="T">The argument's type.</typeparam>
    /// <typeparam name="TResult">The result's type.</typeparam>
    /// <param name="cluster">The cluster.</param>
    /// <param name="work">The lambda.</param>
    /// <param name="argument">Its argument.</param>
    /// <param name="options">How it is to run. Default: as the cluster says, on one CPU.</param>
    /// <returns>A ref to its result.</returns>
    /// <exception cref="NotSerializableException">It is to run in a worker process but captures variables.</exception>
    public static ObjectRef<TResult> Run<T, TResult>(this Cluster cluster, Func<T, Task<TResult>> work, T argument, TaskOptions? options = null) =>
        LambdaTaskStarter.Start(cluster, work, Arg.ForTask<T>(argument), isAsync: true, options, static (work, a, _) => new ValueTask<TResult>(work(a)));

    /// <summary>Runs a lambda with the object of a ref, once it is there as a task.</summary>
    /// <typeparam name="T">The argument's type.</typeparam>
    /// <param name="cluster">The cluster.</param>
    /// <param name="work">The lambda.</param>
    /// <param name="argument">A ref to its argument.</param>
    /// <param name="options">How it is to run. Default: as the cluster says, on one CPU.</param>
    /// <returns>A ref that is ready when it has run.</returns>
    /// <exception cref="NotSerializableException">It is to run in a worker process but captures variables.</exception>
    [OverloadResolutionPriority(1)]
    public static ObjectRef<object?> Run<T>(this Cluster cluster, Action<T> work, ObjectRef<T> argument, TaskOptions? options = null) =>
        LambdaTaskStarter.Start(cluster, work, Arg.ForTask<T>(argument), isAsync: false, options, static (work, a, _) =>
        {
            work(a);
            return default(ValueTask<object?>);
        });

    /// <summary>Runs an asynchronous lambda with the object of a ref, once it is there as a task.</summary>
    /// <typeparam name="T">The argument's type.</typeparam>
    /// <param name="cluster">The cluster.</param>
    /// <param name="work">The lambda.</param>
    /// <param name="argument">A ref to its argument.</param>
    /// <param name="options">How it is to run. Default: as the cluster says, on one CPU.</param>
    /// <returns>A ref that is ready when it has run.</returns>
    /// <exception cref="NotSerializableException">It is to run in a worker process but captures variables.</exception>
    [OverloadResolutionPriority(1)]
    public static ObjectRef<object?> Run<T>(this Cluster cluster, Func<T, Task> work, ObjectRef<T> argument, TaskOptions? options = null) =>
        LambdaTaskStarter.Start(cluster, work, Arg.ForTask<T>(argument), isAsync: true, options, static async (work, a, _) =>
        {
            await work(a).ConfigureAwait(false);
            return default(object?);
        });

    /// <summary>Runs a lambda with the object of a ref, once it is there as a task.</summary>
    /// <typeparam name="T">The argument's type.</typeparam>
    /// <typeparam name="TResult">The result's type.</typeparam>
    /// <param name="cluster">The cluster.</param>
    /// <param name="work">The lambda.</param>
    /// <param name="argument">A ref to its argument.</param>
    /// <param name="options">How it is to run. Default: as the cluster says, on one CPU.</param>
    /// <returns>A ref to its result.</returns>
    /// <exception cref="NotSerializableException">It is to run in a worker process but captures variables.</exception>
    [OverloadResolutionPriority(1)]
    public static ObjectRef<TResult> Run<T, TResult>(this Cluster cluster, Func<T, TResult> work, ObjectRef<T> argument, TaskOptions? options = null) =>
        LambdaTaskStarter.Start(cluster, work, Arg.ForTask<T>(argument), isAsync: false, options, static (work, a, _) => new ValueTask<TResult>(work(a)));

    /// <summary>Runs an asynchronous lambda with the object of a ref, once it is there as a task.</summary>
    /// <typeparam name="T">The argument's type.</typeparam>
    /// <typeparam name="TResult">The result's type.</typeparam>
    /// <param name="cluster">The cluster.</param>
    /// <param name="work">The lambda.</param>
    /// <param name="argument">A ref to its argument.</param>
    /// <param name="options">How it is to run. Default: as the cluster says, on one CPU.</param>
    /// <returns>A ref to its result.</returns>
    /// <exception cref="NotSerializableException">It is to run in a worker process but captures variables.</exception>
    [OverloadResolutionPriority(1)]
    public static ObjectRef<TResult> Run<T, TResult>(this Cluster cluster, Func<T, Task<TResult>> work, ObjectRef<T> argument, TaskOptions? options = null) =>
        LambdaTaskStarter.Start(cluster, work, Arg.ForTask<T>(argument), isAsync: true, options, static (work, a, _) => new ValueTask<TResult>(work(a)));

    /// <summary>Runs a lambda with arguments as a task.</summary>
    /// <typeparam name="T1">The first argument's type.</typeparam>
    /// <typeparam name="T2">The second argument's type.</typeparam>
    /// <typeparam name="TResult">The result's type.</typeparam>
    /// <param name="cluster">The cluster.</param>
    /// <param name="work">The lambda.</param>
    /// <param name="first">Its first argument.</param>
    /// <param name="second">Its second argument.</param>
    /// <param name="options">How it is to run. Default: as the cluster says, on one CPU.</param>
    /// <returns>A ref to its result.</returns>
    /// <exception cref="NotSerializableException">It is to run in a worker process but captures variables.</exception>
    public static ObjectRef<TResult> Run<T1, T2, TResult>(this Cluster cluster, Func<T1, T2, TResult> work, T1 first, T2 second, TaskOptions? options = null) =>
        LambdaTaskStarter.Start(cluster, work, Arg.ForTask<T1>(first), Arg.ForTask<T2>(second), isAsync: false, options, static (work, a, b, _) => new ValueTask<TResult>(work(a, b)));

    /// <summary>Runs an asynchronous lambda with arguments as a task.</summary>
    /// <typeparam name="T1">The first argument's type.</typeparam>
    /// <typeparam name="T2">The second argument's type.</typeparam>
    /// <typeparam name="TResult">The result's type.</typeparam>
    /// <param name="cluster">The cluster.</param>
    /// <param name="work">The lambda.</param>
    /// <param name="first">Its first argument.</param>
    /// <param name="second">Its second argument.</param>
    /// <param name="options">How it is to run. Default: as the cluster says, on one CPU.</param>
    /// <returns>A ref to its result.</returns>
    /// <exception cref="NotSerializableException">It is to run in a worker process but captures variables.</exception>
    public static ObjectRef<TResult> Run<T1, T2, TResult>(this Cluster cluster, Func<T1, T2, Task<TResult>> work, T1 first, T2 second, TaskOptions? options = null) =>
        LambdaTaskStarter.Start(cluster, work, Arg.ForTask<T1>(first), Arg.ForTask<T2>(second), isAsync: true, options, static (work, a, b, _) => new ValueTask<TResult>(work(a, b)));

    /// <summary>Runs a lambda with the objects of refs, once they are there as a task.</summary>
    /// <typeparam name="T1">The first argument's type.</typeparam>
    /// <typeparam name="T2">The second argument's type.</typeparam>
    /// <typeparam name="TResult">The result's type.</typeparam>
    /// <param name="cluster">The cluster.</param>
    /// <param name="work">The lambda.</param>
    /// <param name="first">A ref to its first argument.</param>
    /// <param name="second">A ref to its second argument.</param>
    /// <param name="options">How it is to run. Default: as the cluster says, on one CPU.</param>
    /// <returns>A ref to its result.</returns>
    /// <exception cref="NotSerializableException">It is to run in a worker process but captures variables.</exception>
    [OverloadResolutionPriority(1)]
    public static ObjectRef<TResult> Run<T1, T2, TResult>(this Cluster cluster, Func<T1, T2, TResult> work, ObjectRef<T1> first, ObjectRef<T2> second, TaskOptions? options = null) =>
        LambdaTaskStarter.Start(cluster, work, Arg.ForTask<T1>(first), Arg.ForTask<T2>(second), isAsync: false, options, static (work, a, b, _) => new ValueTask<TResult>(work(a, b)));

    /// <summary>Runs an asynchronous lambda with the objects of refs, once they are there as a task.</summary>
    /// <typeparam name="T1">The first argument's type.</typeparam>
    /// <typeparam name="T2">The second argument's type.</typeparam>
    /// <typeparam name="TResult">The result's type.</typeparam>
    /// <param name="cluster">The cluster.</param>
    /// <param name="work">The lambda.</param>
    /// <param name="first">A ref to its first argument.</param>
    /// <param name="second">A ref to its second argument.</param>
    /// <param name="options">How it is to run. Default: as the cluster says, on one CPU.</param>
    /// <returns>A ref to its result.</returns>
    /// <exception cref="NotSerializableException">It is to run in a worker process but captures variables.</exception>
    [OverloadResolutionPriority(1)]
    public static ObjectRef<TResult> Run<T1, T2, TResult>(this Cluster cluster, Func<T1, T2, Task<TResult>> work, ObjectRef<T1> first, ObjectRef<T2> second, TaskOptions? options = null) =>
        LambdaTaskStarter.Start(cluster, work, Arg.ForTask<T1>(first), Arg.ForTask<T2>(second), isAsync: true, options, static (work, a, b, _) => new ValueTask<TResult>(work(a, b)));
}
