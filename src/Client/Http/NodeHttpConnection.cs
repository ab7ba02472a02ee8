using System.Net.Http.Headers;
using System.Text.Json;

namespace Serve.Http;

/// <summary>A node's address with its connection pool and token. All requests to a node go through it.</summary>
internal sealed class NodeHttpConnection : IDisposable
{
    private readonly HttpClient _http;
    private readonly string _whatToDo;

    private NodeHttpConnection(Uri address, HttpClient http, string whatToDo)
    {
        Address = address;
        _http = http;
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

        var token = ReadToken(options);
        var http = options.HttpMessageHandler is { } handler ? new HttpClient(handler, disposeHandler: false) : new HttpClient(Pool(uri, options));
        // Without a trailing slash, relative paths would replace the last segment.
        http.BaseAddress = uri.AbsolutePath.EndsWith('/') ? uri : new Uri(uri.AbsoluteUri + "/");
        http.Timeout = System.Threading.Timeout.InfiniteTimeSpan;
        if (token is not null)
            http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return new NodeHttpConnection(uri, http, whatToDo);
    }

    /// <summary>Sends a request and returns its successful response, whose body has not been read; throws for any other response.</summary>
    public async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        try
        {
            var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken).ConfigureAwait(false);
            if (response.IsSuccessStatusCode)
                return response;
            using (response)
                throw await ProblemDocumentReader.ReadAsync(response, cancellationToken).ConfigureAwait(false);
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

    private static string? ReadToken(ServeClientOptions options)
    {
        if (options is { Token: not null, TokenFile: not null })
            throw new ArgumentException("Specify a token or a token file, not both.", nameof(options));
        if (options.TokenFile is not { } file)
            return options.Token;
        try
        {
            var token = File.ReadAllText(file).Trim();
            return token.Length > 0 ? token : throw new ArgumentException($"The token file {file} is empty.", nameof(options));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ArgumentException($"The token file {file} cannot be read: {e.Message}", nameof(options), e);
        }
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
