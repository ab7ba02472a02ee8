using System.IO.Compression;

namespace Serve.Http;

/// <summary>
/// Decompression stream that rejects truncated data. .NET's own streams treat truncated data as complete, unless a process-wide switch is set, which would affect user code too.
/// Reading throws an <see cref="InvalidDataException"/> if the data are corrupt or truncated.
/// </summary>
public sealed class StrictDecompressionStream : ReadOnlyStream
{
    // A byte that begins no gzip member.
    private const byte NoMember = 0xFF;

    private readonly Source _source;
    private readonly Stream _inflated;

    private StrictDecompressionStream(Source source, Stream inflated) => (_source, _inflated) = (source, inflated);

    /// <summary>Decompresses gzip.</summary>
    /// <param name="compressed">Compressed data; stays open.</param>
    /// <returns>The decompressed data.</returns>
    public static StrictDecompressionStream Gzip(Stream compressed)
    {
        var source = new Source(compressed, [NoMember]);
        return new(source, new GZipStream(source, CompressionMode.Decompress));
    }

    /// <summary>Decompresses the zlib format, which HTTP calls deflate.</summary>
    /// <param name="compressed">Compressed data; stays open.</param>
    /// <returns>The decompressed data.</returns>
    public static StrictDecompressionStream Zlib(Stream compressed)
    {
        var source = new Source(compressed, []);
        return new(source, new ZLibStream(source, CompressionMode.Decompress));
    }

    /// <inheritdoc/>
    public override int Read(Span<byte> buffer)
    {
        try
        {
            return _inflated.Read(buffer);
        }
        catch (InvalidDataException) when (_source.HasEnded)
        {
            throw _source.Cut();
        }
    }

    /// <inheritdoc/>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        try
        {
            return await _inflated.ReadAsync(buffer, cancellationToken);
        }
        catch (InvalidDataException) when (_source.HasEnded)
        {
            throw _source.Cut();
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _inflated.Dispose();
        base.Dispose(disposing);
    }

    /// <summary>
    /// Detects truncation by whether the decompressor requests more data at the end of the source. The zlib format is read up to its own end. After a gzip member there may be another one, so more is always requested; the source then
    /// supplies one byte that begins no member. A complete decompressor stops there; an incomplete one consumes the byte and requests more, or fails.
    /// </summary>
    private sealed class Source(Stream compressed, byte[] behind) : ReadOnlyStream
    {
        private long _length;

        public bool HasEnded { get; private set; }

        public InvalidDataException Cut() => new($"{_length} bytes came, and the compressed data do not end with them.");

        public override int Read(Span<byte> buffer) => Follow(compressed.Read(buffer), buffer);

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            Follow(await compressed.ReadAsync(buffer, cancellationToken), buffer.Span);

        private int Follow(int read, Span<byte> buffer)
        {
            _length += read;
            if (read > 0)
                return read;
            if (HasEnded || behind.Length == 0)
                throw Cut();
            HasEnded = true;
            behind.CopyTo(buffer);
            return behind.Length;
        }
    }
}
