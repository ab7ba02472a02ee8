namespace Serve;

/// <summary>Waits for objects of different types at once: <c>var (a, b) = await ray.Get(first, second);</c>.</summary>
public static class ClusterGetExtensions
{
    /// <summary>Waits for objects of different types; one wait for all.</summary>
    /// <typeparam name="T1">The first object's type.</typeparam>
    /// <typeparam name="T2">The second object's type.</typeparam>
    /// <param name="cluster">The cluster.</param>
    /// <param name="first">The first ref.</param>
    /// <param name="second">The second ref.</param>
    /// <param name="timeout">How long at most for all of them. Default: for ever.</param>
    /// <param name="cancellationToken">Gives the wait up.</param>
    /// <returns>The objects; throws as soon as one has failed.</returns>
    /// <exception cref="TimeoutException">They were not ready in time.</exception>
    public static async Task<(T1, T2)> Get<T1, T2>(
        this Cluster cluster, ObjectRef<T1> first, ObjectRef<T2> second, TimeSpan? timeout = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(cluster);
        await cluster.WaitForAll([first, second], timeout, cancellationToken).ConfigureAwait(false);
        return (first.Result, second.Result);
    }

    /// <summary>Waits for objects of different types; one wait for all.</summary>
    /// <typeparam name="T1">The first object's type.</typeparam>
    /// <typeparam name="T2">The second object's type.</typeparam>
    /// <typeparam name="T3">The third object's type.</typeparam>
    /// <param name="cluster">The cluster.</param>
    /// <param name="first">The first ref.</param>
    /// <param name="second">The second ref.</param>
    /// <param name="third">The third ref.</param>
    /// <param name="timeout">How long at most for all of them. Default: for ever.</param>
    /// <param name="cancellationToken">Gives the wait up.</param>
    /// <returns>The objects; throws as soon as one has failed.</returns>
    /// <exception cref="TimeoutException">They were not ready in time.</exception>
    public static async Task<(T1, T2, T3)> Get<T1, T2, T3>(
        this Cluster cluster, ObjectRef<T1> first, ObjectRef<T2> second, ObjectRef<T3> third, TimeSpan? timeout = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(cluster);
        await cluster.WaitForAll([first, second, third], timeout, cancellationToken).ConfigureAwait(false);
        return (first.Result, second.Result, third.Result);
    }

    /// <summary>Waits for objects of different types; one wait for all.</summary>
    /// <typeparam name="T1">The first object's type.</typeparam>
    /// <typeparam name="T2">The second object's type.</typeparam>
    /// <typeparam name="T3">The third object's type.</typeparam>
    /// <typeparam name="T4">The fourth object's type.</typeparam>
    /// <param name="cluster">The cluster.</param>
    /// <param name="first">The first ref.</param>
    /// <param name="second">The second ref.</param>
    /// <param name="third">The third ref.</param>
    /// <param name="fourth">The fourth ref.</param>
    /// <param name="timeout">How long at most for all of them. Default: for ever.</param>
    /// <param name="cancellationToken">Gives the wait up.</param>
    /// <returns>The objects; throws as soon as one has failed.</returns>
    /// <exception cref="TimeoutException">They were not ready in time.</exception>
    public static async Task<(T1, T2, T3, T4)> Get<T1, T2, T3, T4>(
        this Cluster cluster, ObjectRef<T1> first, ObjectRef<T2> second, ObjectRef<T3> third, ObjectRef<T4> fourth, TimeSpan? timeout = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(cluster);
        await cluster.WaitForAll([first, second, third, fourth], timeout, cancellationToken).ConfigureAwait(false);
        return (first.Result, second.Result, third.Result, fourth.Result);
    }
}
