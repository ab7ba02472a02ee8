using Serve.Calls;

namespace Serve;

/// <summary>Starts broadcast calls with the caller's options and the context of the request being served.</summary>
internal static class BroadcastStarter
{
    public static DeploymentResponse<IReadOnlyList<ReplicaResult<T>>> Start<T>(
        ICallTarget target, HandleCallOptions? options, Func<CancellationToken, ValueTask<MethodCall<T>>> prepare)
    {
        var all = target as IBroadcastTarget ?? throw new NotSupportedException("Broadcast calls need a handle of a deployment.");
        var context = HandleCallOptions.ContextFor(options, RequestContext.Current);

        // The timeout is part of the context: each replica exceeds it by itself.
        return DeploymentResponse<IReadOnlyList<ReplicaResult<T>>>.Start(async stop => await all.BroadcastAsync(await prepare(stop).ConfigureAwait(false), context, stop).ConfigureAwait(false));
    }
}
