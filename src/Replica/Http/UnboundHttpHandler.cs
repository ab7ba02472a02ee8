using Microsoft.AspNetCore.Http;
using Serve.Http;
using Serve.Runtime;

namespace Serve.Replica.Http;

/// <summary>HTTP handler of a deployment whose <c>Call</c> cannot be bound to HTTP: responds with the reason.</summary>
internal sealed class UnboundHttpHandler(ConcurrencyLimiter gate, string reason) : IActorHttpHandler
{
    public async ValueTask<bool> TryHandleAsync(HttpContext context)
    {
        if (!gate.TryEnter())
            return false;
        try
        {
            await ProblemDetailsWriter.WriteAsync(context, StatusCodes.Status500InternalServerError, ErrorReason.UserException,
                $"Call of this deployment cannot be bound to HTTP: {reason}");
        }
        finally
        {
            gate.Exit();
        }

        return true;
    }
}
