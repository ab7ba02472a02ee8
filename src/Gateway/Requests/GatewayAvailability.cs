using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;

namespace Serve.Gateway.Requests;

/// <summary>Whether the gateway has the routes of all applications: not while those of an earlier run are being restored, and not while the node drains. Holds no state.</summary>
/// <param name="options">The gateway's settings.</param>
/// <param name="lifetime">Signals the drain.</param>
internal sealed class GatewayAvailability(GatewayOptions options, IHostApplicationLifetime lifetime)
{
    private static readonly Func<object, Task> AddRetryAfter = static state =>
    {
        ((HttpContext)state).Response.Headers.RetryAfter = "1";
        return Task.CompletedTask;
    };

    /// <summary>Gets whether the node drains.</summary>
    public bool IsDraining => lifetime.ApplicationStopping.IsCancellationRequested;

    /// <summary>Gets whether an unknown route is final.</summary>
    public bool IsReady => !IsDraining && options.IsRestored();

    /// <summary>Returns the error of a request: 503 with <c>Retry-After</c> instead of a missing route or replica that another node, or this node later, may have.</summary>
    /// <param name="context">The request.</param>
    /// <param name="error">The error of routing.</param>
    public ServeException Qualify(HttpContext context, ServeException error)
    {
        if (error is not (NoSuchRouteException or NoReplicaException) || IsReady)
            return error;
        context.Response.OnStarting(AddRetryAfter, context);
        return new NoReplicaException(IsDraining ? "The node is shutting down. Retry the request." : "The node is starting, and its applications are not ready. Retry the request.");
    }
}
