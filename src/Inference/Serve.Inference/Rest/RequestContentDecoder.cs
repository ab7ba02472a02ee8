using Microsoft.AspNetCore.Http;
using Serve.Runtime.Http;

namespace Serve.Inference.Rest;

/// <summary>Reads bodies by their Content-Encoding: those that Triton takes.</summary>
internal static class RequestContentDecoder
{
    private const string Known = "gzip, deflate";

    /// <summary>A body as it was before it was compressed.</summary>
    /// <exception cref="BadHttpRequestException">It is compressed in another way, or more than once.</exception>
    public static Stream Open(HttpRequest request)
    {
        var coding = request.Headers.ContentEncoding.ToString().Trim();
        if (coding.Equals("gzip", StringComparison.OrdinalIgnoreCase) || coding.Equals("x-gzip", StringComparison.OrdinalIgnoreCase))
            return StrictDecompressionStream.Gzip(request.Body);
        // The coding of this name is zlib's format (RFC 9110, 8.4.1.2).
        if (coding.Equals("deflate", StringComparison.OrdinalIgnoreCase))
            return StrictDecompressionStream.Zlib(request.Body);
        if (coding.Length == 0 || coding.Equals("identity", StringComparison.OrdinalIgnoreCase))
            return request.Body;
        // Set when the answer begins, since writing an error clears its headers.
        request.HttpContext.Response.OnStarting(static response =>
        {
            ((HttpResponse)response).Headers.AcceptEncoding = Known;
            return Task.CompletedTask;
        }, request.HttpContext.Response);
        throw new BadHttpRequestException($"Content-Encoding '{coding}' is not taken here; {Known} are.", StatusCodes.Status415UnsupportedMediaType);
    }
}
