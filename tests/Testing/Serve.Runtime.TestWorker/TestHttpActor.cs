using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Serve.Http;

namespace Serve.Runtime.TestWorker;

/// <summary>Responds to HTTP requests with a description of the request.</summary>
public sealed class TestHttpActor(ActorActivationContext actor) : IActorHttpHandler
{
    public async ValueTask<bool> TryHandleAsync(HttpContext context)
    {
        if (!actor.Gate.TryEnter())
            return false;
        try
        {
            using var reader = new StreamReader(context.Request.Body);
            var body = await reader.ReadToEndAsync(context.RequestAborted);
            var own = string.Join(',', context.Request.Headers.Keys.Where(name => name.StartsWith("Serve-", StringComparison.OrdinalIgnoreCase)));
            context.Response.Headers["Seen-Client"] = $"{context.Request.Scheme}://{context.Connection.RemoteIpAddress}:{context.Connection.RemotePort} {context.Request.Host}";
            context.Response.Headers["Seen-Limit"] = $"{context.Features.Get<IHttpMaxRequestBodySizeFeature>()?.MaxRequestBodySize}";
            await context.Response.WriteAsync($"{context.Request.Method} {context.Request.PathBase}|{context.Request.Path}|{body.Length}|{own}", context.RequestAborted);
        }
        finally
        {
            actor.Gate.Exit();
        }

        return true;
    }
}
