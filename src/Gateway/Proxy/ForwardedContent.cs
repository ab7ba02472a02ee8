using System.Net;

namespace Serve.Gateway.Proxy;

/// <summary>One sending of a <see cref="ForwardedBody"/>. A request without a body has one too, of length 0: a request with content is never sent a second time by the connection pool on its own, and a replica must not get a request twice.</summary>
/// <param name="body">The body; null for none.</param>
internal sealed class ForwardedContent(ForwardedBody? body) : HttpContent
{
    /// <inheritdoc/>
    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    /// <inheritdoc/>
    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken) =>
        body?.SendAsync(stream, cancellationToken) ?? Task.CompletedTask;

    /// <inheritdoc/>
    protected override bool TryComputeLength(out long length)
    {
        length = body is null ? 0 : body.Length ?? -1;
        return length >= 0;
    }
}
