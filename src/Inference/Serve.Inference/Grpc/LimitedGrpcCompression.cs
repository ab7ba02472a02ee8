using System.IO.Compression;
using Grpc.Core;
using Grpc.Net.Compression;
using Serve.Http;

namespace Serve.Inference.Grpc;

/// <summary>
/// A <c>grpc-encoding</c> whose decompressed messages are limited: grpc-dotnet's <c>MaxReceiveMessageSize</c> covers the compressed size only. Truncated data is an error.
/// </summary>
/// <param name="encoding"><c>gzip</c> or <c>deflate</c>; the latter is zlib's format, as in HTTP.</param>
/// <param name="maxMessageSize">Limit in bytes.</param>
internal sealed class LimitedGrpcCompression(string encoding, int maxMessageSize) : ICompressionProvider
{
    private readonly bool _isGzip = encoding == "gzip";

    public string EncodingName => encoding;

    public Stream CreateCompressionStream(Stream stream, CompressionLevel? compressionLevel)
    {
        var level = compressionLevel ?? CompressionLevel.Fastest;
        return _isGzip ? new GZipStream(stream, level, leaveOpen: true) : new ZLibStream(stream, level, leaveOpen: true);
    }

    public Stream CreateDecompressionStream(Stream stream)
    {
        // .NET's compressing streams write nothing for an empty message.
        if (stream.Length == 0)
            return Stream.Null;
        return new LimitedStream(_isGzip ? StrictDecompressionStream.Gzip(stream) : StrictDecompressionStream.Zlib(stream), maxMessageSize);
    }

    private sealed class LimitedStream(Stream decompressed, int limit) : ReadOnlyStream
    {
        private long _length;

        public override int Read(Span<byte> buffer)
        {
            try
            {
                var read = decompressed.Read(buffer);
                _length += read;
                return _length <= limit ? read : throw GrpcErrors.MessageTooLarge(limit);
            }
            catch (InvalidDataException error)
            {
                throw new RpcException(new Status(StatusCode.Internal, $"The message cannot be decompressed: {error.Message}"));
            }
        }

        // grpc-dotnet reads synchronously: the whole message has been received.
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => new(Read(buffer.Span));

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                decompressed.Dispose();
            base.Dispose(disposing);
        }
    }
}
