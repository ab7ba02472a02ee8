using System.Net;
using System.Net.Sockets;
using System.Text;
using Serve.Dashboard.Sources;

namespace Serve.Dashboard.Actions;

/// <summary>
/// Sends requests of the page's console to the applications of this node. The page cannot send them itself: the gateway is another origin. Requests go to the gateway only, without the
/// token or the cookie of the caller. Thread-safe.
/// </summary>
/// <param name="source">Knows the gateway.</param>
/// <param name="time">Clock.</param>
internal sealed class GatewayConsole(IDashboardSource source, TimeProvider time) : IDisposable
{
    /// <summary>Maximum size of a response's body; the rest is not read.</summary>
    public const int MaxResponseBytes = 1 << 20;

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(60);

    // Of the connection, or set here.
    private static readonly HashSet<string> OwnHeaders = new(StringComparer.OrdinalIgnoreCase) { "Host", "Connection", "Content-Length", "Transfer-Encoding", "Upgrade", "Cookie", "Expect" };

    private readonly Lazy<HttpClient> _client = new(static () => new(new SocketsHttpHandler { UseCookies = false, AllowAutoRedirect = false, UseProxy = false, AutomaticDecompression = DecompressionMethods.All })
    {
        Timeout = System.Threading.Timeout.InfiniteTimeSpan,
    });

    /// <summary>Sends a request.</summary>
    /// <param name="request">The request.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    /// <exception cref="DefinitionException">The request is invalid.</exception>
    /// <exception cref="TimeoutException">The application did not respond in time.</exception>
    public async Task<ConsoleResponse> SendAsync(ConsoleRequest request, CancellationToken cancellationToken)
    {
        using var message = CreateMessage(request);
        using var timeout = new CancellationTokenSource(Timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        var started = time.GetTimestamp();
        try
        {
            using var response = await _client.Value.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, either.Token);
            var body = new byte[MaxResponseBytes + 1];
            await using var stream = await response.Content.ReadAsStreamAsync(either.Token);
            var length = await stream.ReadAtLeastAsync(body, body.Length, throwOnEndOfStream: false, either.Token);
            var isTruncated = length > MaxResponseBytes;
            var content = body.AsMemory(0, Math.Min(length, MaxResponseBytes));
            var text = ReadText(content.Span, isTruncated);
            return new()
            {
                Status = (int)response.StatusCode,
                Headers = response.Headers.Concat(response.Content.Headers).ToDictionary(header => header.Key.ToLowerInvariant(), header => string.Join(", ", header.Value)),
                Body = text,
                BodyBase64 = text is null ? Convert.ToBase64String(content.Span) : null,
                IsTruncated = isTruncated,
                ElapsedMs = Math.Round(time.GetElapsedTime(started).TotalMilliseconds, 2),
            };
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested)
        {
            throw new TimeoutException($"The application did not respond within {Timeout.TotalSeconds} s.");
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_client.IsValueCreated)
            _client.Value.Dispose();
    }

    private HttpRequestMessage CreateMessage(ConsoleRequest request)
    {
        if (source.GetNodes()[0].GatewayAddress is not { } gateway)
            throw new DefinitionException("This dashboard has no gateway.");
        // "//host" and "/\\host" would be the address of another server; "/-/" are endpoints of the node itself.
        if (request.Path is not ['/', .. var rest] || rest is ['/' or '\\', ..] || !Uri.TryCreate(Reachable(gateway).GetLeftPart(UriPartial.Authority) + request.Path, UriKind.Absolute, out var address)
            || address.Authority != Reachable(gateway).Authority || address.AbsolutePath.StartsWith("/-/", StringComparison.Ordinal))
            throw new DefinitionException($"path must be a path at the gateway, like /Counter?x=1, but was '{request.Path}'.");
        if (!request.Method.All(char.IsAsciiLetter) || request.Method.Length is 0 or > 16)
            throw new DefinitionException($"method must be an HTTP method, but was '{request.Method}'.");
        var message = new HttpRequestMessage(new(request.Method.ToUpperInvariant()), address) { Content = CreateBody(request) };
        foreach (var (name, value) in request.Headers)
        {
            if (OwnHeaders.Contains(name))
                continue;
            if (!message.Headers.TryAddWithoutValidation(name, value) && message.Content?.Headers.Remove(name) is not null && !message.Content.Headers.TryAddWithoutValidation(name, value))
                throw new DefinitionException($"'{name}' is not the name of a header.");
        }

        return message;
    }

    private static ByteArrayContent? CreateBody(ConsoleRequest request)
    {
        if (request.BodyBase64 is null)
            return request.Body is null ? null : new ByteArrayContent(Encoding.UTF8.GetBytes(request.Body));
        try
        {
            return new(Convert.FromBase64String(request.BodyBase64));
        }
        catch (FormatException)
        {
            throw new DefinitionException("body_base64 must be base64.");
        }
    }

    // A gateway that listens on all addresses is reached at loopback.
    private static Uri Reachable(string gateway)
    {
        var uri = new Uri(gateway);
        return !IPAddress.TryParse(uri.Host.Trim('[', ']'), out var address) || !(address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any)) ? uri
            : new UriBuilder(uri) { Host = address.AddressFamily == AddressFamily.InterNetworkV6 ? "[::1]" : "127.0.0.1" }.Uri;
    }

    private static string? ReadText(ReadOnlySpan<byte> body, bool isTruncated)
    {
        // A character can be cut in the middle.
        for (var cut = 0; cut <= (isTruncated ? 3 : 0) && cut <= body.Length; cut++)
        {
            if (System.Text.Unicode.Utf8.IsValid(body[..^cut]))
                return Encoding.UTF8.GetString(body[..^cut]);
        }

        return null;
    }
}
