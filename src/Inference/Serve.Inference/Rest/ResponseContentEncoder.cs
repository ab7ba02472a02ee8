using System.IO.Compression;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.ResponseCompression;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Serve.Inference.Rest;

/// <summary>Compression of responses by Accept-Encoding, with the encodings that requests may have. Applies ASP.NET Core's response compression to a single response.</summary>
internal static class ResponseContentEncoder
{
    // A smaller response fits into one packet anyway.
    private const int Smallest = 1024;

    private static readonly Codings Known = new();

    /// <summary>Returns whether a request has an Accept-Encoding.</summary>
    public static bool IsRequested(HttpRequest request) => request.Headers.AcceptEncoding.Count > 0;

    /// <summary>Writes a response with a known length, compressed if the client accepts it and the response is large enough.</summary>
    public static Task WriteAsync(HttpContext context, RequestDelegate write) => new ResponseCompressionMiddleware(write, Known).Invoke(context);

    private sealed class Codings() : ResponseCompressionProvider(new NoServices(), Options.Create(new ResponseCompressionOptions
    {
        // Safe behind a TLS proxy: a response contains only data that its request determines, and no secret.
        EnableForHttps = true,
        MimeTypes = ["application/json", "application/octet-stream"],
        Providers = { new GzipCompressionProvider(Options.Create(new GzipCompressionProviderOptions())), new Deflate() },
    }))
    {
        public override bool ShouldCompressResponse(HttpContext context) =>
            context.Response.ContentLength is >= Smallest && base.ShouldCompressResponse(context);
    }

    // This encoding is zlib's format (RFC 9110, 8.4.1.2).
    private sealed class Deflate : ICompressionProvider
    {
        public string EncodingName => "deflate";

        public bool SupportsFlush => true;

        public Stream CreateStream(Stream outputStream) => new ZLibStream(outputStream, CompressionLevel.Fastest, leaveOpen: true);
    }

    private sealed class NoServices : IServiceProvider
    {
        public object? GetService(Type serviceType) =>
            serviceType == typeof(ILogger<ResponseCompressionProvider>) ? NullLogger<ResponseCompressionProvider>.Instance : null;
    }
}
