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
        if (!request.Options.TryGetValue(WorkerForwardAttempt.OptionsKey, out var attempt))
            request.Content = EmptyHttpContent.Instance;
        else if (attempt.Body is { } body)
            Replace(request, attempt, new ReplayableHttpContent(body));
        return base.SendAsync(request, cancellationToken);
    }

    private static void Replace(HttpRequestMessage request, WorkerForwardAttempt attempt, ReplayableHttpContent content)
    {
        if (request.Content is { } original)
        {
            foreach (var (name, values) in original.Headers.NonValidated)
                content.Headers.TryAddWithoutValidation(name, values);
        }

        request.Content = content;
        if (attempt.IsDuplex)
            request.Version = HttpVersion.Version20;
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
