using Microsoft.AspNetCore.Http;
using Serve.Http;
using Serve.Runtime;

namespace Serve.Replica.Http;

/// <summary>The HTTP side of an object whose <c>Call</c> can be called by handle only: says so. Holds no state.</summary>
internal sealed class UnboundHttpHandler(ConcurrencyLimiter gate, string reason) : IActorHttpHandler
{
    public async ValueTask<bool> TryHandleAsync(HttpContext context)
    {
        if (!gate.TryEnter())
            return false;
        try
        {
            await ProblemDetailsWriter.WriteAsync(context, StatusCodes.Status500InternalServerError, ErrorReason.UserException,
                $"This deployment's Call cannot be bound to HTTP: {reason}");
        }
        finally
        {
            gate.Exit();
        }

        return true;
    }
}
