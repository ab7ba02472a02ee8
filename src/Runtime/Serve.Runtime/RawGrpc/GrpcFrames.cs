using System.Buffers;
using System.Buffers.Binary;
using System.IO.Compression;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;
using Serve.Http;

namespace Serve.Runtime.RawGrpc;

/// <summary>
/// gRPC's messages on an HTTP/2 stream (PROTOCOL-HTTP2.md), for services whose messages are better read where they lie than through generated classes: a
/// byte that says whether it is compressed, a length of 4 bytes, the message.
/// </summary>
public static class GrpcFrames
{
    /// <summary>What comes before a message.</summary>
    public const int HeadSize = 5;

    /// <summary>How a client may compress its messages.</summary>
    internal const string Encodings = "gzip, deflate";

    /// <summary>Whether a request is a gRPC call.</summary>
    /// <param name="request">The request.</param>
    /// <returns>Whether it is.</returns>
    public static bool IsGrpc(HttpRequest request) =>
        request.ContentType?.StartsWith("application/grpc", StringComparison.OrdinalIgnoreCase) is true
        && !request.ContentType.StartsWith("application/grpc-web", StringComparison.OrdinalIgnoreCase);

    /// <summary>Reads the next message.</summary>
    /// <param name="request">The call.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The message, to be disposed; null when the client has ended its side.</returns>
    /// <exception cref="GrpcException">The client ended within a message, or compresses in a way that is not known, or the message is larger than a request's body may be.</exception>
    public static async ValueTask<PooledBufferWriter?> ReadAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var body = request.BodyReader;
        var first = await body.ReadAtLeastAsync(HeadSize, cancellationToken);
        if (first.Buffer.Length < HeadSize)
        {
            var isEmpty = first.Buffer.IsEmpty;
            body.AdvanceTo(first.Buffer.End);
            return isEmpty ? null : throw Broken();
        }

        var (isCompressed, length) = ReadHead(first.Buffer);
        body.AdvanceTo(first.Buffer.GetPosition(HeadSize));
        var limit = RequestBodyLimit.Of(request.HttpContext);
        if (length > limit)
            throw TooLarge(limit);
        var message = await ReadAsync(body, (int)length, cancellationToken);
        if (!isCompressed)
            return message;
        using (message)
            return Inflate(request, message, limit);
    }

    /// <summary>Reads the one message that a call must have.</summary>
    /// <param name="request">The call.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The message, to be disposed.</returns>
    /// <exception cref="GrpcException">There is none, or as <see cref="ReadAsync(HttpRequest, CancellationToken)"/>.</exception>
    public static async ValueTask<PooledBufferWriter> RequireAsync(HttpRequest request, CancellationToken cancellationToken) =>
        await ReadAsync(request, cancellationToken) ?? throw new GrpcException(GrpcStatus.InvalidArgument, "The call came without its message.");

    /// <summary>Looks at the beginning of a call's first message and leaves it where it is.</summary>
    /// <typeparam name="T">What is looked for.</typeparam>
    /// <param name="request">The call.</param>
    /// <param name="find">Looks for it in the message's first bytes; told whether that is all of it. Null when more is needed.</param>
    /// <param name="limit">How many bytes of the message are looked at, at most.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>What was found; null when it is not there.</returns>
    /// <exception cref="GrpcException">As <see cref="ReadAsync(HttpRequest, CancellationToken)"/>.</exception>
    public static async ValueTask<T?> PeekAsync<T>(HttpRequest request, Func<ReadOnlySequence<byte>, bool, T?> find, int limit, CancellationToken cancellationToken)
        where T : class
    {
        var body = request.BodyReader;
        while (true)
        {
            var read = await body.ReadAsync(cancellationToken);
            var buffer = read.Buffer;
            T? found = null;
            var isEnough = read.IsCompleted;
            if (buffer.Length >= HeadSize)
            {
                var (isCompressed, length) = ReadHead(buffer);
                var message = buffer.Slice(HeadSize, Math.Min(Math.Min(length, limit), buffer.Length - HeadSize));
                var isWhole = message.Length == length;
                found = isCompressed ? FindInflated(request, message, isWhole, find, limit) : find(message, isWhole);
                isEnough |= found is not null || isWhole || message.Length == limit;
            }

            // Not examined when it is enough, so that whoever reads next has it at once.
            body.AdvanceTo(buffer.Start, isEnough ? buffer.Start : buffer.End);
            if (isEnough)
                return found;
        }
    }

    /// <summary>Writes what comes before a message.</summary>
    /// <param name="target">Where to.</param>
    /// <param name="length">The message's length.</param>
    public static void WriteHead(IBufferWriter<byte> target, long length)
    {
        var head = target.GetSpan(HeadSize);
        head[0] = 0;
        BinaryPrimitives.WriteUInt32BigEndian(head[1..], checked((uint)length));
        target.Advance(HeadSize);
    }

    private static (bool IsCompressed, uint Length) ReadHead(ReadOnlySequence<byte> buffer)
    {
        Span<byte> head = stackalloc byte[HeadSize];
        buffer.Slice(0, HeadSize).CopyTo(head);
        return (head[0] != 0, BinaryPrimitives.ReadUInt32BigEndian(head[1..]));
    }

    private static async ValueTask<PooledBufferWriter> ReadAsync(PipeReader body, int length, CancellationToken cancellationToken)
    {
        // No more at once than is likely to come: the length is only what the client says.
        const int FirstSize = 1 << 20;
        var message = new PooledBufferWriter(Math.Min(length, FirstSize));
        try
        {
            while (message.Length < length)
            {
                var read = await body.ReadAsync(cancellationToken);
                var part = read.Buffer.Slice(0, Math.Min(read.Buffer.Length, length - message.Length));
                part.CopyTo(message.GetSpan((int)part.Length));
                message.Advance((int)part.Length);
                body.AdvanceTo(part.End);
                if (read.IsCompleted && message.Length < length)
                    throw Broken();
            }

            return message;
        }
        catch
        {
            message.Dispose();
            throw;
        }
    }

    private static PooledBufferWriter Inflate(HttpRequest request, PooledBufferWriter compressed, int limit)
    {
        var message = new PooledBufferWriter((int)Math.Min(compressed.Length * 2L, limit));
        try
        {
            using var inflater = Open(request, compressed.OpenRead(), isWhole: true);
            // Nothing is what .NET's writers make of an empty message.
            return compressed.Length == 0 || message.TryFill(inflater, limit) ? message : throw TooLarge(limit);
        }
        catch (Exception thrown)
        {
            message.Dispose();
            if (thrown is InvalidDataException)
                throw new GrpcException(GrpcStatus.Internal, $"The message cannot be decompressed: {thrown.Message}");
            throw;
        }
    }

    // What is looked for stands first as a rule; more is inflated only while it has not been found.
    private static T? FindInflated<T>(HttpRequest request, ReadOnlySequence<byte> compressed, bool isWhole, Func<ReadOnlySequence<byte>, bool, T?> find, int limit)
        where T : class
    {
        const int FirstSize = 4096;
        using var inflater = Open(request, new MemoryStream(compressed.ToArray(), writable: false), isWhole: false);
        var part = new byte[Math.Min(FirstSize, limit)];
        var length = 0;
        while (true)
        {
            var hasEnded = !TryFill(inflater, part, ref length);
            var found = find(new(part, 0, length), isWhole && hasEnded);
            if (found is not null || hasEnded || part.Length == limit)
                return found;
            Array.Resize(ref part, Math.Min(part.Length * 4, limit));
        }
    }

    private static bool TryFill(Stream source, byte[] target, ref int length)
    {
        try
        {
            while (length < target.Length)
            {
                var read = source.Read(target, length, target.Length - length);
                if (read == 0)
                    return false;
                length += read;
            }

            return true;
        }
        catch (InvalidDataException)
        {
            // It ends where what has come ends.
            return false;
        }
    }

    private static Stream Open(HttpRequest request, Stream compressed, bool isWhole)
    {
        var encoding = request.Headers["grpc-encoding"].ToString();
        return encoding switch
        {
            "gzip" => isWhole ? StrictDecompressionStream.Gzip(compressed) : new GZipStream(compressed, CompressionMode.Decompress),
            // zlib's format, as in HTTP.
            "deflate" => isWhole ? StrictDecompressionStream.Zlib(compressed) : new ZLibStream(compressed, CompressionMode.Decompress),
            _ => throw new GrpcException(GrpcStatus.Unimplemented, $"grpc-encoding '{encoding}' is not known here; {Encodings} are."),
        };
    }

    private static GrpcException TooLarge(int limit) =>
        new(GrpcStatus.ResourceExhausted, $"The message is larger than {limit} bytes, which is the most that is taken (http_options.max_request_body_bytes).");

    private static GrpcException Broken() => new(GrpcStatus.Internal, "The client ended within a message.");
}
