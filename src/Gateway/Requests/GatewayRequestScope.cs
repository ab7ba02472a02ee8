using Microsoft.AspNetCore.Http;
using Serve.Routing;

namespace Serve.Gateway.Requests;

/// <summary>State of a request across the pipeline. Written by the request's own flow.</summary>
internal sealed class GatewayRequestScope
{
    /// <summary>Gets or sets the application of the request; null until it is known and for the gateway's own endpoints.</summary>
    public ApplicationRouteEntry? Application { get; set; }

    /// <summary>Returns the scope of a request.</summary>
    public static GatewayRequestScope Of(HttpContext context) => context.Features.Get<GatewayRequestScope>()!;
}
