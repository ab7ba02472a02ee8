using Microsoft.AspNetCore.Http;
using Serve.Http;

namespace Serve.Inference.Rest;

/// <summary>Decoder of request bodies with a Content-Encoding, for the encodings that Triton supports.</summary>
internal static class RequestContentDecoder
{
    private const string Known = "gzip, deflate";

    /// <summary>Opens the decompressed body.</summary>
    /// <exception cref="BadHttpRequestException">The encoding is not supported, or there are several.</exception>
    public static Stream Open(HttpRequest request)
    {
        var coding = request.Headers.ContentEncoding.ToString().Trim();
        if (coding.Equals("gzip", StringComparison.OrdinalIgnoreCase) || coding.Equals("x-gzip", StringComparison.OrdinalIgnoreCase))
            return StrictDecompressionStream.Gzip(request.Body);
        // This encoding is zlib's format (RFC 9110, 8.4.1.2).
        if (coding.Equals("deflate", StringComparison.OrdinalIgnoreCase))
            return StrictDecompressionStream.Zlib(request.Body);
        if (coding.Length == 0 || coding.Equals("identity", StringComparison.OrdinalIgnoreCase))
            return request.Body;
        // Set when the response starts, since writing an error clears the headers.
        request.HttpContext.Response.OnStarting(static response =>
        {
            ((HttpResponse)response).Headers.AcceptEncoding = Known;
            return Task.CompletedTask;
        }, request.HttpContext.Response);
        throw new BadHttpRequestException($"Content-Encoding '{coding}' is not supported. Supported: {Known}.", StatusCodes.Status415UnsupportedMediaType);
    }
}
