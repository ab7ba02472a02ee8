using System.Net;

namespace Serve.Gateway.Proxy;

/// <summary>
/// Replaces the body that YARP sends to a worker, which can be read only once, by a <see cref="ReplayableHttpContent"/>, or by an empty
/// one. YARP has no earlier hook for it.
/// </summary>
/// <param name="connections">The connection pool.</param>
internal sealed class ReplayableContentHandler(HttpMessageHandler connections) : DelegatingHandler(connections)
{
    /// <inheritdoc/>
    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var attempt = request.Options.TryGetValue(WorkerForwardAttempt.OptionsKey, out var found) ? found : null;
        if (attempt?.Body is { } body)
            Replace(request, new ReplayableHttpContent(body));
        else if (attempt is not { IsUpgrade: true })
            request.Content = EmptyHttpContent.Instance;
        if (attempt is { IsHttp2: true })
            request.Version = HttpVersion.Version20;
        return base.SendAsync(request, cancellationToken);
    }

    private static void Replace(HttpRequestMessage request, ReplayableHttpContent content)
    {
        if (request.Content is { } original)
        {
            foreach (var (name, values) in original.Headers.NonValidated)
                content.Headers.TryAddWithoutValidation(name, values);
        }

        request.Content = content;
    }
}

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
