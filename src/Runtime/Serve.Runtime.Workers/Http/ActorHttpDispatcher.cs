using System.Globalization;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Serve.Http;
using Serve.Routes;
using Serve.Runtime.Workers.Rpc;

namespace Serve.Runtime.Workers.Http;

/// <summary>Hands forwarded requests to actors of this process, or refuses them with nothing read. Holds no state.</summary>
internal sealed class ActorHttpDispatcher(ProcessActorHost host, ProcessHttpServerOptions options)
{
    private readonly byte[] _token = Encoding.UTF8.GetBytes(options.Token);

    public async Task HandleAsync(HttpContext context)
    {
        var headers = context.Request.Headers;
        if (!ProcessAccessToken.Matches(headers[WireHeaderNames.Token], _token))
        {
            await ProblemDetailsWriter.WriteAsync(context, StatusCodes.Status401Unauthorized, ErrorReason.Unauthorized, "Only the node's gateway may call here.");
            return;
        }

        string? id = headers[WireHeaderNames.Actor];
        string? prefix = headers[WireHeaderNames.PathBase];
        headers.Remove(WireHeaderNames.Token);
        headers.Remove(WireHeaderNames.Actor);
        headers.Remove(WireHeaderNames.PathBase);
        RestoreClient(context);
        RestoreLimit(context);
        if (id is null || host.Find(new(id)) is not { } actor)
        {
            await RefuseAsync(context, "gone");
            return;
        }

        if (actor.LocalHttp is not { } http)
        {
            await ProblemDetailsWriter.WriteAsync(context, StatusCodes.Status404NotFound, ErrorReason.NoSuchRoute, $"Actor {id} does not answer HTTP.");
            return;
        }

        if (!string.IsNullOrEmpty(prefix) && context.Request.Path.StartsWithSegments(PathString.FromUriComponent(prefix), out var matched, out var rest))
            (context.Request.PathBase, context.Request.Path) = (matched, rest);
        if (!await http.TryHandleAsync(context))
            await RefuseAsync(context, actor.Context.Gate.IsClosed ? "gone" : "full");
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
