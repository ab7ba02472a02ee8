using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Serve.Http;

/// <summary>
/// Limit of a request body where the server itself does not enforce one: in a worker, which receives the gateway's limit with the request. Code that expands a body,
/// for instance by decompression, must respect it.
/// </summary>
/// <param name="server">The server's feature; receives what code sets.</param>
/// <param name="limit">The limit while code sets none.</param>
public sealed class RequestBodyLimit(IHttpMaxRequestBodySizeFeature server, long? limit) : IHttpMaxRequestBodySizeFeature
{
    /// <summary>Largest limit: what fits one array, with space to detect excess bytes.</summary>
    public static readonly int Most = Array.MaxLength - 128;

    private long? _limit = limit;

    /// <inheritdoc/>
    public bool IsReadOnly => server.IsReadOnly;

    /// <inheritdoc/>
    public long? MaxRequestBodySize
    {
        get => _limit;
        set => _limit = server.MaxRequestBodySize = value;
    }

    /// <summary>Returns the limit of a request, at most <see cref="Most"/>.</summary>
    /// <param name="context">The request.</param>
    /// <returns>Bytes.</returns>
    public static int Of(HttpContext context) => (int)Math.Min(context.Features.Get<IHttpMaxRequestBodySizeFeature>()?.MaxRequestBodySize ?? Most, Most);
}
