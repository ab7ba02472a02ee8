using System.IO.Compression;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.ResponseCompression;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Serve.Inference.Rest;

/// <summary>Compresses answers for clients whose Accept-Encoding asks for it, in the codings that requests may have too. ASP.NET Core's response compression, around one answer.</summary>
internal static class ResponseContentEncoder
{
    // With its headers, what is smaller goes in one packet either way.
    private const int Smallest = 1024;

    private static readonly Codings Known = new();

    /// <summary>Whether a request says which codings it would have.</summary>
    public static bool IsRequested(HttpRequest request) => request.Headers.AcceptEncoding.Count > 0;

    /// <summary>Writes an answer whose length is set, compressed where that is asked for and pays.</summary>
    public static Task WriteAsync(HttpContext context, RequestDelegate write) => new ResponseCompressionMiddleware(write, Known).Invoke(context);

    private sealed class Codings() : ResponseCompressionProvider(new NoServices(), Options.Create(new ResponseCompressionOptions
    {
        // Whether a proxy in front speaks TLS makes no difference: an answer holds what its request asked for, and no secret beside it.
        EnableForHttps = true,
        MimeTypes = ["application/json", "application/octet-stream"],
        Providers = { new GzipCompressionProvider(Options.Create(new GzipCompressionProviderOptions())), new Deflate() },
    }))
    {
        public override bool ShouldCompressResponse(HttpContext context) =>
            context.Response.ContentLength is >= Smallest && base.ShouldCompressResponse(context);
    }

    // The coding of this name is zlib's format (RFC 9110, 8.4.1.2).
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
