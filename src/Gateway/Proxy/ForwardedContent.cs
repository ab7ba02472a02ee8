using System.Net;

namespace Serve.Gateway.Proxy;

/// <summary>One sending of a <see cref="ForwardedBody"/>.</summary>
/// <param name="body">The body.</param>
internal sealed class ForwardedContent(ForwardedBody body) : HttpContent
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
