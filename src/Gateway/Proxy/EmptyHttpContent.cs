using System.Net;

namespace Serve.Gateway.Proxy;

/// <summary>
/// The body of a request that has none. The connection pool sends a request without content a second time on its own when its connection
/// breaks; one with content, however empty, it never does, and a replica must not get a request twice. One for all: it has no state.
/// </summary>
internal sealed class EmptyHttpContent : HttpContent
{
    private EmptyHttpContent()
    {
        // Computed now and kept by the headers, so that requests at the same time only read it.
        _ = Headers.ContentLength;
    }

    /// <summary>The one there is.</summary>
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

#pragma warning disable CA2215 // Lives as long as the process: whoever disposes a request must not end it for the others.
    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
    }
#pragma warning restore CA2215
}
