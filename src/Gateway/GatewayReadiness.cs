using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;

namespace Serve.Gateway;

/// <summary>
/// Whether load balancers are to send requests to this gateway, <c>/-/readyz</c>: not while the applications of an earlier run are being restored, and not while the node drains.
/// </summary>
/// <param name="lifetime">Signals the drain.</param>
public sealed class GatewayReadiness(IHostApplicationLifetime lifetime)
{
    private static readonly Func<object, Task> AddRetryAfter = static state =>
    {
        ((HttpContext)state).Response.Headers.RetryAfter = "1";
        return Task.CompletedTask;
    };

    private volatile bool _isStarted;
    private volatile bool _isLeaving;

    /// <summary>Gets why the gateway is not ready, in a word for operators: <c>starting</c> or <c>draining</c>; null if it is ready.</summary>
    public string? NotReadyReason => _isLeaving || lifetime.ApplicationStopping.IsCancellationRequested ? "draining" : _isStarted ? null : "starting";

    /// <summary>Reports that everything that is deployed has been started.</summary>
    public void MarkStarted() => _isStarted = true;

    /// <summary>Reports that the node is about to drain: load balancers are to choose another one, while requests are still served.</summary>
    public void MarkLeaving() => _isLeaving = true;

    /// <summary>Returns the error of a request: 503 with <c>Retry-After</c> instead of a missing route or replica that another node, or this node later, may have.</summary>
    /// <param name="context">The request.</param>
    /// <param name="error">The error of routing.</param>
    internal ServeException Qualify(HttpContext context, ServeException error)
    {
        if (error is not (NoSuchRouteException or NoReplicaException) || NotReadyReason is not { } reason)
            return error;
        context.Response.OnStarting(AddRetryAfter, context);
        return new NoReplicaException($"The node is not ready ({reason}). Retry the request.");
    }
}
