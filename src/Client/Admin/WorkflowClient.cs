using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Serve.Http;

namespace Serve.Admin;

/// <summary>A client of the workflow API of a program or node (<c>/api/workflows</c>). Thread-safe.</summary>
public sealed class WorkflowClient : IDisposable
{
    private const string Root = "api/workflows";
    private readonly NodeHttpConnection _connection;

    /// <summary>Creates a client without connecting.</summary>
    /// <param name="address">The base address. Default: a node on this machine with default ports.</param>
    /// <param name="options">Connection options. The defaults suit a node on this machine.</param>
    /// <exception cref="ArgumentException">The address is invalid, or the token file cannot be read.</exception>
    public WorkflowClient(string address = "http://127.0.0.1:8265", ServeClientOptions? options = null) =>
        _connection = NodeHttpConnection.Open(address, options ?? new ServeClientOptions(), "The program may have exited. Run 'serve workflow list' to find running programs.");

    /// <summary>Sends a request.</summary>
    /// <param name="method">The HTTP method.</param>
    /// <param name="path">The path below <c>/api/workflows</c>, with its query: for instance <c>/trip-42/history</c>; empty for the list.</param>
    /// <param name="json">The body as JSON; null for none.</param>
    /// <param name="idempotencyKey">A second event or signal with the same key is dropped. Default: none.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    /// <returns>The response's document, and whether the workflow is still open where its result was asked for.</returns>
    /// <exception cref="NodeUnreachableException">The program or node is unreachable.</exception>
    /// <exception cref="AccessDeniedException">The token is missing or wrong.</exception>
    /// <exception cref="ServeException">The request was refused; the message contains the reason.</exception>
    public async Task<(JsonElement Document, bool IsOpen)> SendAsync(
        HttpMethod method, string path, string? json = null, string? idempotencyKey = null, CancellationToken cancellationToken = default)
    {
        using var request = new HttpRequestMessage(method, Root + path);
        if (json is not null)
            request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(json)) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
        if (idempotencyKey is not null)
            request.Headers.Add("Idempotency-Key", idempotencyKey);
        using var response = await _connection.SendAsync(request, cancellationToken).ConfigureAwait(false);
        try
        {
            var body = await response.Content.ReadAsByteArrayAsync(cancellationToken).ConfigureAwait(false);
            return (body.Length == 0 ? default : JsonSerializer.Deserialize<JsonElement>(body), response.StatusCode == HttpStatusCode.Accepted);
        }
        catch (HttpRequestException broken)
        {
            throw _connection.Unreachable(broken);
        }
        catch (JsonException invalid)
        {
            throw new UnreadableResultException($"The response to {method} {request.RequestUri} is not JSON: {invalid.Message}", invalid);
        }
    }

    /// <summary>Closes the connections.</summary>
    public void Dispose() => _connection.Dispose();
}
