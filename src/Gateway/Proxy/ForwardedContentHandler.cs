using System.Net;

namespace Serve.Gateway.Proxy;

/// <summary>Puts a <see cref="ForwardedContent"/> in the place of YARP's own content, which can be read only once; YARP lets nothing before this point do so.</summary>
/// <param name="connections">The connection pool.</param>
internal sealed class ForwardedContentHandler(HttpMessageHandler connections) : DelegatingHandler(connections)
{
    /// <inheritdoc/>
    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (request.Options.TryGetValue(ForwardAttempt.OptionsKey, out var attempt) && !attempt.IsUpgrade)
        {
            var content = new ForwardedContent(attempt.Body);
            if (request.Content is { } original)
            {
                foreach (var (name, values) in original.Headers.NonValidated)
                    content.Headers.TryAddWithoutValidation(name, values);
            }

            request.Content = content;
            if (attempt.IsConversation)
                request.Version = HttpVersion.Version20;
        }

        return base.SendAsync(request, cancellationToken);
    }
}
