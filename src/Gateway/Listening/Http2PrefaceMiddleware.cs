using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Serve.Gateway.Listening;

/// <summary>
/// Lets one cleartext port speak HTTP/1.1 and HTTP/2. Without TLS nobody negotiates, but an HTTP/2 client that knows what it wants begins with
/// a fixed preface (RFC 9113, 3.4): a connection that does is handed to Kestrel as HTTP/2, every other as HTTP/1.1.
/// </summary>
/// <param name="next">Kestrel's HTTP stack.</param>
/// <param name="patience">How long a connection may say nothing before it is closed.</param>
/// <param name="time">The clock.</param>
internal sealed class Http2PrefaceMiddleware(ConnectionDelegate next, TimeSpan patience, TimeProvider time)
{
    // Kestrel reads this feature to learn what a connection may speak (HttpConnectionMiddleware), and offers no public way to set it.
    private static readonly Type FeatureType = typeof(KestrelServerOptions).Assembly
        .GetType("Microsoft.AspNetCore.Server.Kestrel.Core.Internal.HttpProtocolsFeature", throwOnError: true)!;

    private static readonly object Http2Only = Activator.CreateInstance(FeatureType, HttpProtocols.Http2)!;

    private static ReadOnlySpan<byte> Preface => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8;

    /// <summary>Looks at a connection's first bytes without taking them.</summary>
    /// <param name="connection">The connection.</param>
    /// <returns>Completes when the connection has ended.</returns>
    public async Task OnConnectionAsync(ConnectionContext connection)
    {
        var input = connection.Transport.Input;
        var isHttp2 = input.TryRead(out var first) ? Look(input, first) : null;
        isHttp2 ??= await WaitAsync(connection);
        if (isHttp2 is null)
            return;
        if (isHttp2.Value)
            connection.Features[FeatureType] = Http2Only;
        await next(connection);
    }

    private async Task<bool?> WaitAsync(ConnectionContext connection)
    {
        // A server that stops does not wait for a connection that has not asked for anything yet.
        var stopping = connection.Features.Get<IConnectionLifetimeNotificationFeature>()?.ConnectionClosedRequested ?? default;
        using var impatience = new CancellationTokenSource(patience, time);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(stopping, impatience.Token);
        try
        {
            bool? isHttp2 = null;
            while (isHttp2 is null)
                isHttp2 = Look(connection.Transport.Input, await connection.Transport.Input.ReadAsync(end.Token));
            return isHttp2;
        }
        catch (Exception error) when (error is OperationCanceledException or ConnectionResetException or ConnectionAbortedException)
        {
            return null;
        }
    }

    private static bool? Look(PipeReader input, ReadResult result)
    {
        var isHttp2 = Decide(result.Buffer);
        // Nothing more will come: let HTTP/1.1 say what it thinks of it.
        if (isHttp2 is null && result.IsCompleted)
            isHttp2 = false;
        input.AdvanceTo(result.Buffer.Start, isHttp2 is null ? result.Buffer.End : result.Buffer.Start);
        return isHttp2;
    }

    private static bool? Decide(ReadOnlySequence<byte> buffer)
    {
        var at = 0;
        foreach (var segment in buffer)
        {
            var length = Math.Min(segment.Length, Preface.Length - at);
            if (!segment.Span[..length].SequenceEqual(Preface.Slice(at, length)))
                return false;
            at += length;
            if (at == Preface.Length)
                return true;
        }

        return null;
    }
}
