using System.Net;

namespace Serve.Gateway.Proxy;

/// <summary>
/// Decides what body goes to a worker: a <see cref="ReplayableHttpContent"/> in the place of YARP's own, which can be read only once, and an empty
/// one where there is none. YARP lets nothing before this point do so.
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
