using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Net.Http.Headers;
using Serve.Http;

namespace Serve.Replica.Http;

/// <summary>
/// Last step before the endpoints: refuses a CORS preflight request that no middleware has answered, so that it never runs user code. An endpoint that names the method OPTIONS answers
/// it itself.
/// </summary>
internal static class PreflightGuard
{
    public static RequestDelegate Before(RequestDelegate next) => context => IsPreflight(context.Request) && IsForAnyMethod(context.GetEndpoint()) ? RefuseAsync(context) : next(context);

    private static bool IsPreflight(HttpRequest request) => HttpMethods.IsOptions(request.Method)
        && request.Headers.ContainsKey(HeaderNames.Origin) && request.Headers.ContainsKey(HeaderNames.AccessControlRequestMethod);

    // Endpoints of routing, such as the one for a wrong HTTP method, have no route.
    private static bool IsForAnyMethod(Endpoint? endpoint) => endpoint is RouteEndpoint
        && endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods.Contains(HttpMethods.Options, StringComparer.OrdinalIgnoreCase) is not true;

    private static Task RefuseAsync(HttpContext context) => ProblemDetailsWriter.WriteAsync(
        context, StatusCodes.Status403Forbidden, ErrorReason.Forbidden,
        "This is a CORS preflight request, but the deployment allows no other origins here. Register a policy with services.AddCors in ConfigureServices.");
}
