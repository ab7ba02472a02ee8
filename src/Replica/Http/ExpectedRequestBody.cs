using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Serve.Http;

namespace Serve.Replica.Http;

/// <summary>
/// Body of a request whose gateway waits for <c>100 Continue</c>, independently of the client. Kestrel reads the header <c>Expect</c> when the body is read, so the gateway's value is
/// present during reads only, and user code sees the client's.
/// </summary>
/// <param name="request">The request, with the client's headers.</param>
/// <param name="body">The server's stream of the body.</param>
/// <param name="expect">The header of the gateway.</param>
internal sealed class ExpectedRequestBody(HttpRequest request, Stream body, StringValues expect) : ReadOnlyStream
{
    private readonly StringValues _fromClient = request.Headers.Expect;

    /// <summary>Replaces the body of a request if the gateway waits.</summary>
    public static void Attach(HttpRequest request, StringValues expect)
    {
        if (expect.Count > 0)
            request.Body = new ExpectedRequestBody(request, request.Body, expect);
    }

    public override int Read(Span<byte> buffer)
    {
        request.Headers.Expect = expect;
        try
        {
            return body.Read(buffer);
        }
        finally
        {
            request.Headers.Expect = _fromClient;
        }
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        request.Headers.Expect = expect;
        try
        {
            return body.ReadAsync(buffer, cancellationToken);
        }
        finally
        {
            request.Headers.Expect = _fromClient;
        }
    }
}
