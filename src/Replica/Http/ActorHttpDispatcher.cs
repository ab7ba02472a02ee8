using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Serve.Http;
using Serve.Nodes;
using Serve.Routes;
using Serve.Runtime;

namespace Serve.Replica.Http;

/// <summary>
/// Dispatches forwarded requests to the actors of this process, with the head that the client sent, or refuses them before anything is read. Holds no state.
/// </summary>
internal sealed class ActorHttpDispatcher(IActorReferenceResolver actors, string token)
{
    private readonly byte[] _token = Encoding.UTF8.GetBytes(token);
    private readonly HostProcessAddress _thisProcess = new(actors.ProcessId);

    public async Task HandleAsync(HttpContext context)
    {
        var headers = context.Request.Headers;
        if (!CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(headers[WireHeaderNames.Token].ToString()), _token))
        {
            await ProblemDetailsWriter.WriteAsync(context, StatusCodes.Status401Unauthorized, ErrorReason.Unauthorized, "Only a gateway of the node may send requests to this server.");
            return;
        }

        string? id = headers[WireHeaderNames.Actor];
        string? prefix = headers[WireHeaderNames.PathBase];
        headers.Remove(WireHeaderNames.Token);
        headers.Remove(WireHeaderNames.Actor);
        headers.Remove(WireHeaderNames.PathBase);
        RestoreLimit(context);
        if (headers.Remove(WireHeaderNames.Urgency, out var urgency))
            context.Features.Set(RequestUrgency.Decode(urgency.ToString(), TimeProvider.System));
        RestoreHead(context);
        RestoreClient(context);
        if (id is null || actors.Resolve(new(id), _thisProcess) is not ILocalActor actor || (actor.Instance is null && actor.IsStopping))
        {
            await RefuseAsync(context, "gone");
            return;
        }

        if (actor.Instance is not IActorHttpHandler http)
        {
            await ProblemDetailsWriter.WriteAsync(context, StatusCodes.Status404NotFound, ErrorReason.NoSuchRoute, $"Actor {id} does not serve HTTP.");
            return;
        }

        if (!string.IsNullOrEmpty(prefix) && context.Request.Path.StartsWithSegments(PathString.FromUriComponent(prefix), out var matched, out var rest))
            (context.Request.PathBase, context.Request.Path) = (matched, rest);
        if (!await http.TryHandleAsync(context))
            await RefuseAsync(context, actor.IsStopping ? "gone" : "full");
    }

    private static void RestoreHead(HttpContext context)
    {
        var request = context.Request;
        var (client, expect) = (request.Headers[WireHeaderNames.Client], request.Headers.Expect);
        if (request.Headers.Remove(WireHeaderNames.Head, out var head))
        {
            // The handshake of a WebSocket is checked before the head of a client of HTTP/2, which has no key, replaces the one that the gateway sent.
            var (isWebSocket, key) = (context.WebSockets.IsWebSocketRequest, request.Headers.SecWebSocketKey);
            var hasFramedBody = ForwardedRequestHead.Restore(request, head.ToString());
            request.Headers[WireHeaderNames.Client] = client;
            if (isWebSocket)
                request.Headers.SecWebSocketKey = key;
            ExpectedRequestBody.Attach(request, expect);
            if (hasFramedBody)
            {
                var body = new FramedRequestBody(request.Body);
                request.Body = body;
                context.Features.Set<IHttpRequestTrailersFeature>(body);
            }
        }
        else
        {
            // The gateway sends an empty body instead of none, and requests that the server asks for a large body.
            if (request.ContentLength == 0)
                request.Headers.ContentLength = null;
            request.Headers.Expect = default;
            ExpectedRequestBody.Attach(request, expect);
        }

        if (request.Headers[WireHeaderNames.RequestId] is [{ } id])
            context.TraceIdentifier = id;
    }

    private static void RestoreClient(HttpContext context)
    {
        if (!context.Request.Headers.Remove(WireHeaderNames.Client, out var values) || (string?)values is not { } client)
            return;
        Span<Range> parts = stackalloc Range[5];
        var origin = client.AsSpan();
        if (origin.Split(parts, ' ') != 4 || !IPEndPoint.TryParse(origin[parts[2]], out var remote) || !IPEndPoint.TryParse(origin[parts[3]], out var local))
            return;
        var (request, connection) = (context.Request, context.Connection);
        if (!origin[parts[0]].SequenceEqual(request.Protocol))
        {
            // Kestrel sends trailers and resets to clients of HTTP/2 only.
            if (HttpProtocol.IsHttp2(request.Protocol))
            {
                context.Features.Set<IHttpResponseTrailersFeature>(null);
                context.Features.Set<IHttpResetFeature>(null);
            }

            request.Protocol = origin[parts[0]].SequenceEqual(HttpProtocol.Http11) ? HttpProtocol.Http11 : origin[parts[0]].ToString();
        }

        // Nearly always the scheme it has; a new string would be made for nothing.
        if (!origin[parts[1]].SequenceEqual(request.Scheme))
            request.Scheme = origin[parts[1]].ToString();
        (connection.RemoteIpAddress, connection.RemotePort) = (remote.Address, remote.Port);
        (connection.LocalIpAddress, connection.LocalPort) = (local.Address, local.Port);
    }

    private static void RestoreLimit(HttpContext context)
    {
        if (context.Request.Headers.Remove(WireHeaderNames.BodyLimit, out var value)
            && long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var limit)
            && context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { } server)
        {
            context.Features.Set<IHttpMaxRequestBodySizeFeature>(new RequestBodyLimit(server, limit));
        }
    }

    private Task RefuseAsync(HttpContext context, string how)
    {
        context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
        context.Response.Headers[WireHeaderNames.Refused] = $"{how} {token}";
        return Task.CompletedTask;
    }
}
