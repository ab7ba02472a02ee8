using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Serve.Runtime.State;

namespace Serve.Runtime.Observation;

/// <summary>
/// Serves the state API of one cluster on a loopback port of its own, to callers that present a token. Uses the HTTP listener of the base library, so that a program does not need
/// ASP.NET Core to be observable. Its state is that listener.
/// </summary>
internal sealed class ClusterStateServer : IAsyncDisposable
{
    private const int PortAttempts = 10;
    private readonly Cluster _cluster;
    private readonly byte[] _authorization;
    private readonly HttpListener _listener;
    private readonly Task _serving;

    private ClusterStateServer(Cluster cluster, string token, HttpListener listener)
    {
        _cluster = cluster;
        _authorization = Encoding.UTF8.GetBytes("Bearer " + token);
        _listener = listener;
        Address = listener.Prefixes.Single().TrimEnd('/');
        _serving = ServeAsync();
    }

    public string Address { get; }

    /// <exception cref="IOException">No port could be opened.</exception>
    public static ClusterStateServer Start(Cluster cluster, string token) => new(cluster, token, Listen());

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
                    throw new IOException($"No port could be opened for the state API: {thrown.Message}", thrown);
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
            await WriteAsync(context).ConfigureAwait(false);
            context.Response.Close();
        }
        catch (Exception thrown) when (thrown is HttpListenerException or IOException or ObjectDisposedException or InvalidOperationException)
        {
            // The client has disconnected, or the response had begun when the cluster was disposed.
            context.Response.Abort();
        }
    }

    private async Task WriteAsync(HttpListenerContext context)
    {
        var (request, response) = (context.Request, context.Response);
        if (!IsAuthorized(request))
        {
            WriteProblem(response, HttpStatusCode.Unauthorized, ErrorReason.Unauthorized, "A token is required: Authorization: Bearer TOKEN.");
            return;
        }

        try
        {
            var path = request.Url!.AbsolutePath;
            if (path == $"{ClusterStateApi.Root}/{ClusterStateApi.TimelinePath}")
                await WriteTimelineAsync(response).ConfigureAwait(false);
            else if (ClusterStateApi.Resources.FirstOrDefault(resource => path == $"{ClusterStateApi.Root}/{resource.Path}") is { } found)
                Write(response, found.Get(_cluster, request.QueryString), ServeJson.State, "application/json");
            else
                WriteProblem(response, HttpStatusCode.NotFound, ErrorReason.NoSuchRoute, $"Unknown path '{path}'.");
        }
        catch (DefinitionException invalid)
        {
            WriteProblem(response, HttpStatusCode.BadRequest, ErrorReason.BadInput, invalid.Message);
        }
        catch (ObjectDisposedException disposed)
        {
            WriteProblem(response, HttpStatusCode.ServiceUnavailable, ErrorReason.Unreachable, $"The cluster was disposed: {disposed.Message}");
        }
    }

    private bool IsAuthorized(HttpListenerRequest request) =>
        CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(request.Headers["Authorization"] ?? ""), _authorization);

    private async Task WriteTimelineAsync(HttpListenerResponse response)
    {
        response.ContentType = "application/json";
        using var buffer = new MemoryStream();
        await _cluster.WriteTimeline(buffer).ConfigureAwait(false);
        response.ContentLength64 = buffer.Length;
        buffer.Position = 0;
        await buffer.CopyToAsync(response.OutputStream).ConfigureAwait(false);
    }

    private static void WriteProblem(HttpListenerResponse response, HttpStatusCode status, string reason, string detail)
    {
        response.StatusCode = (int)status;
        Write(response, new { status = (int)status, detail, reason }, ServeJson.Calls, "application/problem+json");
    }

    private static void Write(HttpListenerResponse response, object document, JsonSerializerOptions options, string contentType)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(document, document.GetType(), options);
        response.ContentType = contentType;
        response.ContentLength64 = body.Length;
        response.OutputStream.Write(body);
    }
}
