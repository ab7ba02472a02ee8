namespace Serve.Calls;

/// <summary>A call target with several replicas, all of which can be called at once.</summary>
public interface IBroadcastTarget
{
    /// <summary>Calls a method of every replica that receives requests now. Does not start replicas.</summary>
    /// <typeparam name="TResult">The result type.</typeparam>
    /// <param name="call">The method and its arguments.</param>
    /// <param name="context">The context of the calls. Its deadline applies to each replica by itself.</param>
    /// <param name="cancellationToken">Cancels all calls.</param>
    /// <returns>One result per replica, in the order of the ranks; empty without replicas.</returns>
    /// <exception cref="NoSuchRouteException">There is no such deployment.</exception>
    ValueTask<IReadOnlyList<ReplicaResult<TResult>>> BroadcastAsync<TResult>(MethodCall<TResult> call, CallContext context, CancellationToken cancellationToken);
}
