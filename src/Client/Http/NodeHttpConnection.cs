using System.Net;
using System.Text.Json;

namespace Serve.Http;

/// <summary>A node's address with its connection pool and token. All requests to a node go through it.</summary>
internal sealed class NodeHttpConnection : IDisposable
{
    private readonly HttpClient _http;
    private readonly string _whatToDo;
    private readonly bool _findsToken;
    private volatile NodeCredentials _credentials;

    private NodeHttpConnection(Uri address, HttpClient http, NodeCredentials? specified, Uri baseAddress, string whatToDo)
    {
        Address = address;
        _http = http;
        _findsToken = specified is null;
        _credentials = specified ?? NodeCredentials.Find(baseAddress);
        _whatToDo = whatToDo;
    }

    public Uri Address { get; }

    private string NoResponse => $"No response from {Address.GetLeftPart(UriPartial.Authority)}.";

    /// <summary>Creates a connection without connecting.</summary>
    /// <param name="address">The base address.</param>
    /// <param name="options">The connection options.</param>
    /// <param name="whatToDo">The remedy in the error message if there is no response.</param>
    public static NodeHttpConnection Open(string address, ServeClientOptions options, string whatToDo)
    {
        if (!Uri.TryCreate(address, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https") || uri.Query.Length + uri.Fragment.Length > 0)
            throw new ArgumentException($"'{address}' is not a valid address. Example: http://127.0.0.1:8000", nameof(address));

        // Without a trailing slash, relative paths would replace the last segment.
        var root = uri.AbsolutePath.EndsWith('/') ? uri : new Uri(uri.AbsoluteUri + "/");
        var specified = NodeCredentials.Specified(root, options);
        var http = options.HttpMessageHandler is { } handler ? new HttpClient(handler, disposeHandler: false) : new HttpClient(Pool(uri, options));
        http.Timeout = System.Threading.Timeout.InfiniteTimeSpan;
        return new NodeHttpConnection(uri, http, specified, root, whatToDo);
    }

    /// <summary>Sends a request and returns its successful response, whose body has not been read; throws for any other response.</summary>
    public async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var path = request.RequestUri!;
        var credentials = _credentials;
        try
        {
            Aim(request, path, credentials);
            var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken).ConfigureAwait(false);
            if (response.StatusCode == HttpStatusCode.Unauthorized && FindAgain(ref credentials) && request.Content is null or ByteArrayContent)
            {
                response.Dispose();
                response = await _http.SendAsync(Copy(request, path, credentials), HttpCompletionOption.ResponseHeadersRead, cancellationToken).ConfigureAwait(false);
            }

            if (response.IsSuccessStatusCode)
                return response;
            using (response)
            {
                var error = await ProblemDocumentReader.ReadAsync(response, cancellationToken).ConfigureAwait(false);
                throw response.Headers.WwwAuthenticate.Count > 0 ? Explain(error, credentials) : error;
            }
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            throw Unreachable(e);
        }
        catch (OperationCanceledException e) when (e.InnerException is TimeoutException && !cancellationToken.IsCancellationRequested)
        {
            throw new NodeUnreachableException($"{NoResponse} {_whatToDo}", neverStarted: true, e);
        }
    }

    /// <summary>Sends a request and deserializes its JSON response.</summary>
    public async Task<T> ReadAsync<T>(HttpRequestMessage request, JsonSerializerOptions dialect, CancellationToken cancellationToken)
    {
        using var response = await SendAsync(request, cancellationToken).ConfigureAwait(false);
        try
        {
            var json = await response.Content.ReadAsByteArrayAsync(cancellationToken).ConfigureAwait(false);
            return JsonSerializer.Deserialize<T>(json, dialect) ?? throw new JsonException("null");
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            throw Unreachable(e);
        }
        catch (JsonException e)
        {
            throw new UnreadableResultException($"The response to {request.Method} {request.RequestUri} is not a valid {typeof(T).Name}: {e.Message}", e);
        }
    }

    /// <summary>Returns the exception for a connection that could not be established, or broke.</summary>
    public NodeUnreachableException Unreachable(Exception? cause) => cause is HttpRequestException
    {
        HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError or HttpRequestError.SecureConnectionError
    }
        ? new NodeUnreachableException($"{NoResponse} {_whatToDo}", neverStarted: true, cause)
        : new NodeUnreachableException(
            $"The connection to {Address.GetLeftPart(UriPartial.Authority)} broke before the response was complete. The request may have been executed.", neverStarted: false, cause);

    public void Dispose() => _http.Dispose();

    private static void Aim(HttpRequestMessage request, Uri path, NodeCredentials credentials)
    {
        request.RequestUri = new Uri(credentials.Address, path);
        if (credentials.Authorization is { } authorization)
            request.Headers.Authorization = authorization;
    }

    // A request can be sent only once; its content is kept.
    private static HttpRequestMessage Copy(HttpRequestMessage sent, Uri path, NodeCredentials credentials)
    {
        var copy = new HttpRequestMessage(sent.Method, path) { Content = sent.Content };
        foreach (var (name, values) in sent.Headers)
            copy.Headers.TryAddWithoutValidation(name, values);
        Aim(copy, path, credentials);
        return copy;
    }

    private static Exception Explain(Exception error, NodeCredentials credentials) =>
        error is AccessDeniedException { Reason: ErrorReason.Unauthorized } denied && credentials.Remedy.Length > 0
            ? new AccessDeniedException(denied.Reason, denied.StatusCode, $"{denied.Message} {credentials.Remedy}")
            : error;

    // The node may have been started after this connection was created, or have been replaced by one with another token.
    private bool FindAgain(ref NodeCredentials credentials)
    {
        if (!_findsToken)
            return false;
        var (before, found) = (credentials, NodeCredentials.Find(credentials.Address));
        credentials = _credentials = found;
        return found.Token is not null && found.Token != before.Token;
    }

    private static SocketsHttpHandler Pool(Uri address, ServeClientOptions options) => new()
    {
        ConnectTimeout = options.ConnectTimeout,
        // Shorter than the node's idle timeout (90 s), so that no connection is used while the node closes it.
        PooledConnectionIdleTimeout = TimeSpan.FromSeconds(60),
        PooledConnectionLifetime = TimeSpan.FromMinutes(10),
        // A stream that is left early must end on the node at once instead of being drained here.
        MaxResponseDrainSize = 0,
        UseCookies = false,
        AllowAutoRedirect = false,
        // Loopback addresses never go through a proxy from the environment.
        UseProxy = !address.IsLoopback,
    };
}
