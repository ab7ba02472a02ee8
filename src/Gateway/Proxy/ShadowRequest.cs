using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Serve.Http;

namespace Serve.Gateway.Proxy;

/// <summary>
/// Copy of a request: its head, and its body as the first revision reads it, so that the copy costs no time. Written by the request's own flow, then sent by another one.
/// </summary>
internal sealed class ShadowRequest
{
    private readonly HttpRequestFeature _head;
    private readonly IHttpConnectionFeature? _connection;
    private readonly byte[] _body;
    private int _read;
    private readonly bool _hasBody;

    private ShadowRequest(HttpContext context)
    {
        var request = context.Request;
        _hasBody = request.ContentLength is not null;
        _body = new byte[request.ContentLength ?? 0];
        _connection = context.Features.Get<IHttpConnectionFeature>() is { } connection ? Copy(connection) : null;
        _head = new HttpRequestFeature
        {
            Method = request.Method,
            Scheme = request.Scheme,
            Protocol = request.Protocol,
            Path = request.Path.Value ?? "",
            PathBase = request.PathBase.Value ?? "",
            QueryString = request.QueryString.Value ?? "",
            RawTarget = context.Features.Get<IHttpRequestFeature>()?.RawTarget ?? "",
            Headers = new HeaderDictionary(request.Headers.ToDictionary(StringComparer.OrdinalIgnoreCase)),
        };
        TraceIdentifier = context.TraceIdentifier;
        if (_body.Length > 0)
            request.Body = new RecordedBody(request.Body, this);
    }

    /// <summary>Gets the id of the request.</summary>
    public string TraceIdentifier { get; }

    /// <summary>Gets whether the whole body was read.</summary>
    public bool IsComplete => _read == _body.Length;

    /// <summary>Returns whether the body of a request can be copied.</summary>
    /// <param name="context">The request.</param>
    /// <param name="maxBodyBytes">Largest body.</param>
    public static bool IsBounded(HttpContext context, int maxBodyBytes) => !WebSocketUpgrade.IsRequested(context) && !HttpMethods.IsConnect(context.Request.Method)
        && (context.Request.ContentLength is { } length ? length <= maxBodyBytes : context.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody is not true);

    /// <summary>Begins the copy. Before the body is read.</summary>
    /// <param name="context">The request.</param>
    public static ShadowRequest Begin(HttpContext context) => new(context);

    /// <summary>Creates a request with a response that is dropped.</summary>
    /// <param name="services">Services of the gateway.</param>
    /// <param name="aborted">Aborts the request.</param>
    public HttpContext CreateContext(IServiceProvider services, CancellationToken aborted)
    {
        _head.Body = new MemoryStream(_body, writable: false);
        var features = new FeatureCollection();
        features.Set<IHttpRequestFeature>(_head);
        features.Set<IHttpResponseFeature>(new HttpResponseFeature());
        features.Set<IHttpResponseBodyFeature>(new StreamResponseBodyFeature(Stream.Null));
        features.Set<IHttpRequestLifetimeFeature>(new HttpRequestLifetimeFeature { RequestAborted = aborted });
        features.Set<IHttpRequestBodyDetectionFeature>(new BodyDetection(_hasBody));
        features.Set(_connection);
        return new DefaultHttpContext(features) { TraceIdentifier = TraceIdentifier, RequestServices = services };
    }

    private static HttpConnectionFeature Copy(IHttpConnectionFeature connection) => new()
    {
        ConnectionId = connection.ConnectionId,
        LocalIpAddress = connection.LocalIpAddress,
        LocalPort = connection.LocalPort,
        RemoteIpAddress = connection.RemoteIpAddress,
        RemotePort = connection.RemotePort,
    };

    private sealed record BodyDetection(bool CanHaveBody) : IHttpRequestBodyDetectionFeature;

    private int Keep(ReadOnlySpan<byte> read)
    {
        read[..Math.Min(read.Length, _body.Length - _read)].CopyTo(_body.AsSpan(_read));
        _read += Math.Min(read.Length, _body.Length - _read);
        return read.Length;
    }

    /// <summary>A body that copies the bytes that are read.</summary>
    private sealed class RecordedBody(Stream source, ShadowRequest copy) : ReadOnlyStream
    {
        public override int Read(Span<byte> buffer) => copy.Keep(buffer[..source.Read(buffer)]);

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var read = await source.ReadAsync(buffer, cancellationToken);
            return copy.Keep(buffer.Span[..read]);
        }
    }
}
