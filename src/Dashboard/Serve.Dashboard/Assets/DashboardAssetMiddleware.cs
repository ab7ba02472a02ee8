using System.IO.Compression;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Headers;
using Microsoft.Net.Http.Headers;
using Serve.Http;

namespace Serve.Dashboard.Assets;

/// <summary>Serves the pages below <c>/</c>: their files, and the index for every other path of a page, so that each page has an address. They contain no secrets and require no token.</summary>
/// <param name="next">Serves everything else.</param>
/// <param name="options">Accepted hosts.</param>
internal sealed class DashboardAssetMiddleware(RequestDelegate next, DashboardOptions options)
{
    // No inline code, no other origin, no frame around the pages.
    private const string ContentSecurityPolicy = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'";

    /// <summary>Paths of the admin API, of its documentation, and of gateways, which are never pages.</summary>
    private static readonly PathString[] Reserved = ["/api", "/docs", "/swagger", "/openapi", "/metrics", "/v2", "/-"];

    /// <summary>Handles a request.</summary>
    /// <param name="context">The request.</param>
    public Task InvokeAsync(HttpContext context)
    {
        var request = context.Request;
        if (!(HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method)) || Array.Exists(Reserved, reserved => request.Path.StartsWithSegments(reserved)))
            return next(context);
        if (Find(request.Path.Value ?? "/") is not { } asset)
            return next(context);
        return RequestGuard.CheckHost(request, options.Guard) is { } foreign
            ? ProblemDetailsWriter.WriteAsync(context, foreign.Status, foreign.Reason, foreign.Detail)
            : WriteAsync(context, asset);
    }

    private static DashboardAsset? Find(string path)
    {
        if (DashboardAssetCatalog.Find(path) is { } file)
            return file;
        // A missing script or image is an error. Other dots are part of names, for example of an application.
        return DashboardAsset.IsFileName(path) ? null : DashboardAssetCatalog.Find(DashboardAssetCatalog.IndexPath);
    }

    private static async Task WriteAsync(HttpContext context, DashboardAsset asset)
    {
        var (request, response) = (context.Request, context.Response);
        var headers = response.GetTypedHeaders();
        headers.ETag = asset.Tag;
        // Browsers ask each time, so that pages fit the node; the answer is mostly "not modified".
        headers.CacheControl = new CacheControlHeaderValue { NoCache = true };
        response.Headers.ContentSecurityPolicy = ContentSecurityPolicy;
        response.Headers.XContentTypeOptions = "nosniff";
        response.Headers["Referrer-Policy"] = "no-referrer";
        response.Headers["Cross-Origin-Opener-Policy"] = "same-origin";
        response.Headers.Vary = HeaderNames.AcceptEncoding;
        if (request.GetTypedHeaders().IfNoneMatch.Any(tag => tag.Compare(asset.Tag, useStrongComparison: false)))
        {
            response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }

        response.ContentType = asset.ContentType;
        var isCompressed = AcceptsGzip(request.GetTypedHeaders());
        if (isCompressed)
        {
            response.Headers.ContentEncoding = "gzip";
            response.ContentLength = asset.Compressed.Length;
        }

        if (HttpMethods.IsHead(request.Method))
            return;
        if (isCompressed)
        {
            await response.Body.WriteAsync(asset.Compressed, context.RequestAborted);
            return;
        }

        await using var plain = new GZipStream(new MemoryStream(asset.Compressed, writable: false), CompressionMode.Decompress);
        await plain.CopyToAsync(response.Body, context.RequestAborted);
    }

    private static bool AcceptsGzip(RequestHeaders headers) =>
        headers.AcceptEncoding.Any(static coding => coding.Value.Equals("gzip", StringComparison.OrdinalIgnoreCase) && coding.Quality is null or > 0);
}
