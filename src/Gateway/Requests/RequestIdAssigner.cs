using Microsoft.AspNetCore.Http;
using Serve.Http;
using Serve.Routes;

namespace Serve.Gateway.Requests;

/// <summary>Assigns the id of a request: the client's if it is valid, otherwise Kestrel's, which is unique and free.</summary>
internal static class RequestIdAssigner
{
    private const int LongestId = 128;
    private static readonly Func<object, Task> AddToResponse = static state =>
    {
        var context = (HttpContext)state;
        // A client would wait for another response. Replicas refuse such a status unless they have started to write.
        if (context.Response.StatusCode < StatusCodes.Status200OK && !WebSocketUpgrade.IsRequested(context))
            context.Abort();
        context.Response.Headers[WireHeaderNames.RequestId] = context.TraceIdentifier;
        return Task.CompletedTask;
    };

    /// <summary>Sets the id of the request, and of the response when it starts, so that clearing the response keeps it.</summary>
    /// <param name="context">The request.</param>
    public static void Assign(HttpContext context)
    {
        var headers = context.Request.Headers;
        if (headers[WireHeaderNames.RequestId] is [{ } asked] && IsSane(asked))
            context.TraceIdentifier = asked;
        else
            headers[WireHeaderNames.RequestId] = context.TraceIdentifier;
        context.Response.OnStarting(AddToResponse, context);
    }

    private static bool IsSane(string id)
    {
        if (id.Length is 0 or > LongestId)
            return false;
        foreach (var letter in id)
        {
            if (letter is <= ' ' or > '~')
                return false;
        }

        return true;
    }
}
