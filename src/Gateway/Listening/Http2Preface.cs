using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Serve.Gateway.Listening;

/// <summary>
/// Detection of the HTTP/2 connection preface (RFC 9113, 3.4), with which every HTTP/2 client with prior knowledge starts. No HTTP/1.1 request can start with it.
/// </summary>
internal static class Http2Preface
{
    private static ReadOnlySpan<byte> Preface => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8;

    /// <summary>Examines a connection's first bytes without consuming them.</summary>
    /// <param name="input">The connection's input, whose current read is ended here.</param>
    /// <param name="result">The current read.</param>
    /// <returns>The protocol; null while the bytes are a proper prefix of the preface.</returns>
    public static HttpProtocols? Detect(PipeReader input, ReadResult result)
    {
        var protocol = Detect(result.Buffer);
        // At the end of the connection, HTTP/1.1 answers the incomplete request.
        if (protocol is null && result.IsCompleted)
            protocol = HttpProtocols.Http1;
        input.AdvanceTo(result.Buffer.Start, protocol is null ? result.Buffer.End : result.Buffer.Start);
        return protocol;
    }

    private static HttpProtocols? Detect(ReadOnlySequence<byte> buffer)
    {
        var length = (int)Math.Min(buffer.Length, Preface.Length);
        Span<byte> start = stackalloc byte[Preface.Length];
        buffer.Slice(0, length).CopyTo(start);
        if (!start[..length].SequenceEqual(Preface[..length]))
            return HttpProtocols.Http1;
        return length == Preface.Length ? HttpProtocols.Http2 : null;
    }
}
