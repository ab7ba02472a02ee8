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

/// <summary>Dispatches forwarded requests to the actors of this process, or refuses them before anything is read. Holds no state.</summary>
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
        RestoreClient(context);
        RestoreLimit(context);
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

    private static void RestoreClient(HttpContext context)
    {
        if (!context.Request.Headers.Remove(WireHeaderNames.Client, out var values) || (string?)values is not { } client)
            return;
        var scheme = client.IndexOf("://", StringComparison.Ordinal);
        if (scheme < 0 || !IPEndPoint.TryParse(client.AsSpan(scheme + 3), out var remote))
            return;
        // Nearly always the scheme it has; a new string would be made for nothing.
        if (!client.AsSpan(0, scheme).Equals(context.Request.Scheme, StringComparison.Ordinal))
            context.Request.Scheme = client[..scheme];
        (context.Connection.RemoteIpAddress, context.Connection.RemotePort) = (remote.Address, remote.Port);
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

    private static Task RefuseAsync(HttpContext context, string how)
    {
        context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
        context.Response.Headers[WireHeaderNames.Refused] = how;
        return Task.CompletedTask;
    }
}
