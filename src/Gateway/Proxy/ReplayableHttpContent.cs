using System.Net;

namespace Serve.Gateway.Proxy;

/// <summary>A transmission of a <see cref="ReplayableRequestBody"/>.</summary>
/// <param name="body">The body.</param>
internal sealed class ReplayableHttpContent(ReplayableRequestBody body) : HttpContent
{
    /// <inheritdoc/>
    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => body.SendAsync(stream, CancellationToken.None);

    /// <inheritdoc/>
    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken) =>
        body.SendAsync(stream, cancellationToken);

    /// <inheritdoc/>
    protected override bool TryComputeLength(out long length)
    {
        length = body.Length ?? -1;
        return length >= 0;
    }
}
