using Microsoft.AspNetCore.Http;
using Serve.Routing;

namespace Serve.Gateway.Requests;

/// <summary>What is known of one request across the pipeline; written by the request's own flow.</summary>
internal sealed class GatewayRequestScope
{
    /// <summary>The application that answers it; null until it is known, and for the gateway's own endpoints.</summary>
    public ApplicationRouteEntry? Application { get; set; }

    /// <summary>The scope of a request.</summary>
    /// <param name="context">The request.</param>
    /// <returns>The scope.</returns>
    public static GatewayRequestScope Of(HttpContext context) => context.Features.Get<GatewayRequestScope>()!;
}
