using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Serve.Hosting;

/// <summary>
/// Serves an HTTP API on a loopback port of its own, to callers that present a token. Uses the HTTP listener of the base library, so that a program does not need
/// ASP.NET Core to be observable. Its state is that listener.
/// </summary>
public sealed class LocalApiServer : IAsyncDisposable
{
    private const int PortAttempts = 10;
    private readonly byte[] _authorization;
    private readonly Func<HttpListenerContext, Task> _respond;
    private readonly HttpListener _listener;
    private readonly Task _serving;

    private LocalApiServer(string token, Func<HttpListenerContext, Task> respond, HttpListener listener)
    {
        _authorization = Encoding.UTF8.GetBytes("Bearer " + token);
        _respond = respond;
        _listener = listener;
        Address = listener.Prefixes.Single().TrimEnd('/');
        _serving = ServeAsync();
    }

    /// <summary>Gets the base address, without a trailing slash.</summary>
    public string Address { get; }

    /// <summary>Starts a server.</summary>
    /// <param name="token">Token of the requests: <c>Authorization: Bearer TOKEN</c>. Others are answered with 401.</param>
    /// <param name="respond">
    /// Writes the response to an authorized request, which is closed afterwards. Runs concurrently. A <see cref="DefinitionException"/> is answered with 400, an
    /// <see cref="ObjectDisposedException"/> with 503.
    /// </param>
    /// <returns>The server.</returns>
    /// <exception cref="IOException">No port could be opened.</exception>
    public static LocalApiServer Start(string token, Func<HttpListenerContext, Task> respond) => new(token, respond, Listen());

    /// <summary>Writes a document as JSON.</summary>
    /// <param name="response">The response.</param>
    /// <param name="document">The document.</param>
    /// <param name="options">Its serializer options.</param>
    /// <param name="contentType">Its content type. Default <c>application/json</c>.</param>
    public static void Write(HttpListenerResponse response, object document, JsonSerializerOptions options, string contentType = "application/json")
    {
        ArgumentNullException.ThrowIfNull(response);
        ArgumentNullException.ThrowIfNull(document);
        var body = JsonSerializer.SerializeToUtf8Bytes(document, document.GetType(), options);
        response.ContentType = contentType;
        response.ContentLength64 = body.Length;
        response.OutputStream.Write(body);
    }

    /// <summary>Writes a problem document, as the admin API does.</summary>
    /// <param name="response">The response.</param>
    /// <param name="status">Its status.</param>
    /// <param name="reason">The machine-readable reason; see <see cref="ErrorReason"/>.</param>
    /// <param name="detail">The human-readable reason.</param>
    public static void WriteProblem(HttpListenerResponse response, HttpStatusCode status, string reason, string detail)
    {
        ArgumentNullException.ThrowIfNull(response);
        response.StatusCode = (int)status;
        Write(response, new { status = (int)status, detail, reason }, ServeJson.Calls, "application/problem+json");
    }

    /// <summary>Stops the server.</summary>
    /// <returns>A task that completes when no request is accepted any more.</returns>
    public async ValueTask DisposeAsync()
    {
        _listener.Close();
        await _serving.ConfigureAwait(false);
    }

    // The listener cannot choose a free port itself.
    private static HttpListener Listen()
    {
        for (var attempt = 1; ; attempt++)
        {
            var listener = new HttpListener();
            try
            {
                listener.Prefixes.Add($"http://127.0.0.1:{FindFreePort()}/");
                listener.Start();
                return listener;
            }
            catch (Exception thrown) when (thrown is HttpListenerException or SocketException)
            {
                ((IDisposable)listener).Dispose();
                if (attempt == PortAttempts)
                    throw new IOException($"No port could be opened for a local API: {thrown.Message}", thrown);
            }
        }
    }

    private static int FindFreePort()
    {
        using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        probe.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)probe.LocalEndPoint!).Port;
    }

    private async Task ServeAsync()
    {
        try
        {
            while (true)
            {
                var context = await _listener.GetContextAsync().ConfigureAwait(false);
                _ = RespondAsync(context);
            }
        }
        catch (Exception thrown) when (thrown is HttpListenerException or ObjectDisposedException)
        {
            // Disposed.
        }
    }

    private async Task RespondAsync(HttpListenerContext context)
    {
        try
        {
            await Task.Yield();
            await RespondAuthorizedAsync(context).ConfigureAwait(false);
            context.Response.Close();
        }
        catch (Exception thrown) when (thrown is HttpListenerException or IOException or ObjectDisposedException or InvalidOperationException)
        {
            // The client has disconnected, or the response had begun when the served object was disposed.
            context.Response.Abort();
        }
    }

    private async Task RespondAuthorizedAsync(HttpListenerContext context)
    {
        if (!CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(context.Request.Headers["Authorization"] ?? ""), _authorization))
        {
            WriteProblem(context.Response, HttpStatusCode.Unauthorized, ErrorReason.Unauthorized, "A token is required: Authorization: Bearer TOKEN.");
            return;
        }

        try
        {
            await _respond(context).ConfigureAwait(false);
        }
        catch (DefinitionException invalid)
        {
            WriteProblem(context.Response, HttpStatusCode.BadRequest, ErrorReason.BadInput, invalid.Message);
        }
        catch (ObjectDisposedException disposed)
        {
            WriteProblem(context.Response, HttpStatusCode.ServiceUnavailable, ErrorReason.Unreachable, $"The program is stopping: {disposed.Message}");
        }
    }
}
