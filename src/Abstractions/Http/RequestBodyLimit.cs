using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Serve.Http;

/// <summary>
/// How large what a request brings may be, where the server itself does not count: a worker's, to which the gateway's limit comes with the request. Whoever makes more of a body
/// than came, as by decompressing it, keeps to it.
/// </summary>
/// <param name="server">The server's own; what code sets is in force there.</param>
/// <param name="limit">The limit while code sets none.</param>
public sealed class RequestBodyLimit(IHttpMaxRequestBodySizeFeature server, long? limit) : IHttpMaxRequestBodySizeFeature
{
    /// <summary>What can be read into one array, with room to see that more comes.</summary>
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

    /// <summary>The limit of a request, <see cref="Most"/> at most.</summary>
    /// <param name="context">The request.</param>
    /// <returns>Bytes.</returns>
    public static int Of(HttpContext context) => (int)Math.Min(context.Features.Get<IHttpMaxRequestBodySizeFeature>()?.MaxRequestBodySize ?? Most, Most);
}
