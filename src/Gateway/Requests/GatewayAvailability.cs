using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;

namespace Serve.Gateway.Requests;

/// <summary>Whether the gateway has the routes of all applications: not while those of an earlier run are being restored, and not while the node drains. Holds no state.</summary>
/// <param name="readiness">Whether the applications have been restored.</param>
/// <param name="lifetime">Signals the drain.</param>
internal sealed class GatewayAvailability(GatewayReadiness readiness, IHostApplicationLifetime lifetime)
{
    private static readonly Func<object, Task> AddRetryAfter = static state =>
    {
        ((HttpContext)state).Response.Headers.RetryAfter = "1";
        return Task.CompletedTask;
    };

    private string? NotReadyReason => lifetime.ApplicationStopping.IsCancellationRequested ? "draining" : readiness.NotReadyReason;

    /// <summary>Returns the error of a request: 503 with <c>Retry-After</c> instead of a missing route or replica that another node, or this node later, may have.</summary>
    /// <param name="context">The request.</param>
    /// <param name="error">The error of routing.</param>
    public ServeException Qualify(HttpContext context, ServeException error)
    {
        if (error is not (NoSuchRouteException or NoReplicaException) || NotReadyReason is not { } reason)
            return error;
        context.Response.OnStarting(AddRetryAfter, context);
        return new NoReplicaException($"The node is not ready ({reason}). Retry the request.");
    }
}
