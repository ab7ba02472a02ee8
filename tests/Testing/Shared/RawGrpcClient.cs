using System.Buffers.Binary;
using System.Globalization;
using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;

namespace Serve.Tests;

/// <summary>A gRPC client on plain HTTP/2, with arbitrary frames and without a client-side timeout.</summary>
internal static class RawGrpcClient
{
    /// <summary>Prefixes a message with its gRPC frame header.</summary>
    public static byte[] Frame(byte[] message, bool isCompressed = false)
    {
        byte[] frame = [isCompressed ? (byte)1 : (byte)0, 0, 0, 0, 0, .. message];
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), message.Length);
        return frame;
    }

    /// <summary>Compresses a message with a <c>grpc-encoding</c>.</summary>
    public static byte[] Compress(byte[] message, string encoding)
    {
        using var compressed = new MemoryStream();
        using (Stream stream = encoding == "gzip" ? new GZipStream(compressed, CompressionLevel.Fastest, leaveOpen: true) : new ZLibStream(compressed, CompressionLevel.Fastest, leaveOpen: true))
            stream.Write(message);
        return compressed.ToArray();
    }

    /// <summary>Sends a request and returns the response unread.</summary>
    public static async Task<HttpResponseMessage> SendAsync(HttpClient client, Uri address, HttpContent content, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, address) { Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact, Content = content };
        content.Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
        request.Headers.TE.Add(new("trailers"));
        foreach (var (name, value) in headers)
            request.Headers.TryAddWithoutValidation(name, value);
        return await client.SendAsync(request);
    }

    /// <summary>Sends a request and reads the response and its status.</summary>
    public static async Task<(int Status, string Message, byte[] Body)> CallAsync(HttpClient client, Uri address, HttpContent content, params (string Name, string Value)[] headers)
    {
        using var response = await SendAsync(client, address, content, headers);
        var body = await response.Content.ReadAsByteArrayAsync();
        var (status, message) = (Find("grpc-status"), Uri.UnescapeDataString(Find("grpc-message") ?? ""));
        Assert.True(status is not null, $"{(int)response.StatusCode} without a status: {System.Text.Encoding.UTF8.GetString(body)}");
        return (int.Parse(status, CultureInfo.InvariantCulture), message, body);

        string? Find(string name) =>
            response.TrailingHeaders.TryGetValues(name, out var trailer) ? trailer.Single() : response.Headers.TryGetValues(name, out var header) ? header.Single() : null;
    }

    public static Task<(int Status, string Message, byte[] Body)> CallAsync(HttpClient client, Uri address, byte[] body, params (string Name, string Value)[] headers) =>
        CallAsync(client, address, new ByteArrayContent(body), headers);

    /// <summary>A request body that is sent in chunks and completes with a task.</summary>
    internal sealed class ChunkedHttpContent(IEnumerable<byte[]> pieces, Task? end = null) : HttpContent
    {
        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            foreach (var piece in pieces)
            {
                await stream.WriteAsync(piece);
                await stream.FlushAsync();
            }

            await (end ?? Task.CompletedTask);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
