using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Serve.Routes;
using Yarp.ReverseProxy.Transforms;
using Yarp.ReverseProxy.Transforms.Builder;

namespace Serve.Gateway.Proxy;

/// <summary>
/// Transforms of requests to workers and of their responses: the client's target and headers unchanged, internal headers, how the body is sent, and refusals, which the client
/// must not see.
/// </summary>
/// <param name="time">Clock of deadlines.</param>
internal sealed class WorkerHeaderTransforms(TimeProvider time) : ITransformProvider
{
    private static readonly UriCreationOptions Verbatim = new() { DangerousDisablePathAndQueryCanonicalization = true };
    private static readonly HttpMethod UnusualMethod = new("FORWARDED");

    /// <inheritdoc/>
    public void ValidateRoute(TransformRouteValidationContext context)
    {
    }

    /// <inheritdoc/>
    public void ValidateCluster(TransformClusterValidationContext context)
    {
    }

    /// <inheritdoc/>
    public void Apply(TransformBuilderContext context)
    {
        // The worker restores the client's view of the request, so user code sees the same request in every isolation mode.
        context.UseDefaultForwarders = false;
        context.CopyRequestHeaders = false;
        context.CopyResponseHeaders = false;
        context.AddRequestTransform(TransformRequest);
        // Without it, YARP removes the header that was copied.
        context.AddOriginalHost();
        context.AddResponseTransform(TransformResponse);
    }

    private ValueTask TransformRequest(RequestTransformContext context)
    {
        var attempt = context.HttpContext.Features.Get<WorkerForwardAttempt>()!;
        var request = context.ProxyRequest;
        request.RequestUri = Target(context.HttpContext.Request, context.DestinationPrefix, out var isPlain);
        if (!isPlain || attempt.ChangesHead || !TryCopyHead(context.HttpContext.Request, request, attempt.IsUpgrade))
            EncodeHead(context.HttpContext.Request, request, attempt);
        // Headers of the same name from the client have been removed.
        request.Headers.TryAddWithoutValidation(WireHeaderNames.Token, attempt.Slot.Route.Address.Token);
        request.Headers.TryAddWithoutValidation(WireHeaderNames.Actor, attempt.Slot.Route.ReplicaId);
        request.Headers.TryAddWithoutValidation(WireHeaderNames.PathBase, attempt.PathBase);
        request.Headers.TryAddWithoutValidation(WireHeaderNames.Client, ClientOriginHeader.Of(context.HttpContext));
        if (attempt.BodyLimit is { } limit)
            request.Headers.TryAddWithoutValidation(WireHeaderNames.BodyLimit, limit.ToString(CultureInfo.InvariantCulture));
        if (!attempt.Urgency.IsDefault)
            request.Headers.TryAddWithoutValidation(WireHeaderNames.Urgency, RequestUrgency.Encode(attempt.Urgency, time));
        if (attempt.Body is { WaitsForContinue: true })
            request.Headers.ExpectContinue = true;
        request.Options.Set(WorkerForwardAttempt.OptionsKey, attempt);
        return default;
    }

    /// <summary>Returns the address of the request at the worker, with the client's target unchanged if it is a path of visible ASCII characters.</summary>
    private static Uri Target(HttpRequest client, string destination, out bool isPlain)
    {
        var target = client.HttpContext.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        isPlain = target.StartsWith('/') && !target.AsSpan().ContainsAnyExceptInRange('!', '~');
        return new Uri(destination.TrimEnd('/') + (isPlain ? target : "/"), Verbatim);
    }

    /// <summary>Copies method and headers; returns false if the worker would receive them changed.</summary>
    private static bool TryCopyHead(HttpRequest client, HttpRequestMessage request, bool isUpgrade)
    {
        if (client.Headers.Host is not [{ Length: > 0 }] || client.Headers.Expect.Count > 0 || client.ContentLength == 0
            || !ReferenceEquals(HttpMethods.GetCanonicalizedValue(client.Method), client.Method) || HttpMethods.IsConnect(client.Method))
            return false;
        foreach (var (name, values) in client.Headers)
        {
            // The handler and YARP add their own headers of an upgrade, and HTTP/2 has fields for the method and the path.
            if (name.StartsWith(':') || (isUpgrade && name is "Connection" or "Upgrade"))
                continue;
            if (values is not [{ } value]
                || (!request.Headers.TryAddWithoutValidation(name, value) && request.Content?.Headers.TryAddWithoutValidation(name, value) is not true))
                return false;
        }

        return true;
    }

    private static void EncodeHead(HttpRequest client, HttpRequestMessage request, WorkerForwardAttempt attempt)
    {
        // YARP has added the key of a WebSocket to a request that comes over HTTP/2.
        if (!attempt.IsUpgrade)
            request.Headers.Clear();
        request.Content?.Headers.Clear();
        request.Headers.TryAddWithoutValidation(WireHeaderNames.Head, ForwardedRequestHead.Encode(client, attempt.Body is { IsFramed: true }));
        if (!attempt.IsUpgrade && !ReferenceEquals(HttpMethods.GetCanonicalizedValue(client.Method), client.Method))
            request.Method = UnusualMethod;
        // HTTP/1.1 requires one, which the client may not have sent.
        request.Headers.Host = request.RequestUri!.Authority;
        if (!attempt.IsUpgrade)
            return;
        foreach (var (name, values) in client.Headers)
        {
            // The handshake is checked before the head is restored.
            if (name.StartsWith("Sec-WebSocket-", StringComparison.OrdinalIgnoreCase) && !request.Headers.Contains(name))
                request.Headers.TryAddWithoutValidation(name, values.AsEnumerable());
        }
    }

    private static ValueTask TransformResponse(ResponseTransformContext context)
    {
        if (context.ProxyResponse is not { } response)
            return default;
        // User code may send a header of the same name, but does not know the token.
        if (response.Headers.NonValidated.TryGetValues(WireHeaderNames.Refused, out var refused)
            && context.HttpContext.Features.Get<WorkerForwardAttempt>() is { } attempt
            && refused.ToString().Split(' ') is [var how, var token] && token == attempt.Slot.Route.Address.Token)
        {
            attempt.Refused = how;
            context.SuppressResponseBody = true;
            return default;
        }

        // HTTP/2 has no reason phrases: the client's own phrase of a status would replace this server's.
        if (response.Version.Major > 1)
            context.HttpContext.Features.GetRequiredFeature<IHttpResponseFeature>().ReasonPhrase = null;
        CopyHeaders(response.Headers, context.HttpContext, response.StatusCode);
        CopyHeaders(response.Content.Headers, context.HttpContext, response.StatusCode);
        return default;
    }

    // All headers of user code, as in this process; YARP would remove some.
    private static void CopyHeaders(HttpHeaders headers, HttpContext context, HttpStatusCode status)
    {
        foreach (var (name, values) in headers.NonValidated)
        {
            // This server decides on chunks, and YARP adds the headers of an upgrade.
            if (name.Equals("Transfer-Encoding", StringComparison.OrdinalIgnoreCase)
                || (status == HttpStatusCode.SwitchingProtocols && (name is "Connection" or "Upgrade" || (name == "Sec-WebSocket-Accept" && HttpProtocol.IsHttp2(context.Request.Protocol)))))
                continue;
            context.Response.Headers[name] = values.Count == 1 ? values.ToString() : values.ToArray();
        }
    }
}
