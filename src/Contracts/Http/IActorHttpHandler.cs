using Microsoft.AspNetCore.Http;

namespace Serve.Http;

/// <summary>HTTP side of an actor, called by a gateway in the same process or by the HTTP server of its worker.</summary>
public interface IActorHttpHandler
{
    /// <summary>
    /// Serves the request, or refuses it before its body is read and before anything is written. On entry <c>PathBase</c> ends with the
    /// route prefix and <c>Path</c> is the rest. Exceptions of user code are converted to problem documents.
    /// </summary>
    /// <param name="context">The request.</param>
    /// <returns>False if the actor is at its limit or stopping: nothing was read or written, so the request can be sent to another one.</returns>
    ValueTask<bool> TryHandleAsync(HttpContext context);
}
