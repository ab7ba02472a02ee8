using System.Net;

namespace Serve.Gateway.Proxy;

/// <summary>
/// The body of requests without one. The connection pool retries a request without content on its own when its connection
/// breaks, but a replica must not receive a request twice; a request with empty content is not retried. Stateless.
/// </summary>
internal sealed class EmptyHttpContent : HttpContent
{
    private EmptyHttpContent()
    {
        // Computed and cached by the headers now, so that concurrent requests only read it.
        _ = Headers.ContentLength;
    }

    /// <summary>Gets the only instance.</summary>
    public static EmptyHttpContent Instance { get; } = new();

    /// <inheritdoc/>
    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => Task.CompletedTask;

    /// <inheritdoc/>
    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken) =>
        Task.CompletedTask;

    /// <inheritdoc/>
    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return true;
    }

#pragma warning disable CA2215 // Shared by all requests of the process: disposing one request must not dispose it.
    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
    }
#pragma warning restore CA2215
}
