using Microsoft.AspNetCore.Http;

namespace Serve.Http;

/// <summary>An actor that answers HTTP, called directly by a gateway in the same process and by the worker's own server otherwise.</summary>
public interface IActorHttpHandler
{
    /// <summary>
    /// Serves the request, or refuses it before its body is read and before anything is written. On entry <c>PathBase</c> ends with the
    /// route prefix and <c>Path</c> is the rest. Exceptions of user code have already been turned into a problem document.
    /// </summary>
    /// <param name="context">The request.</param>
    /// <returns>False when the actor is full or stopping: nothing was read or written, another may be tried.</returns>
    ValueTask<bool> TryHandleAsync(HttpContext context);
}
