using System.IO.Compression;

namespace Serve.Http;

/// <summary>
/// Decompresses what must be whole. .NET's own streams take data that were cut as data that end there, unless a switch for the whole process says otherwise, which would hold for users' code too.
/// Reading throws an <see cref="InvalidDataException"/> where the data are broken or were cut.
/// </summary>
public sealed class StrictDecompressionStream : ReadOnlyStream
{
    // What begins no member of gzip.
    private const byte NoMember = 0xFF;

    private readonly Source _source;
    private readonly Stream _inflated;

    private StrictDecompressionStream(Source source, Stream inflated) => (this._source, this._inflated) = (source, inflated);

    /// <summary>Reads gzip.</summary>
    /// <param name="compressed">What came; it stays open.</param>
    /// <returns>What it was before.</returns>
    public static StrictDecompressionStream Gzip(Stream compressed)
    {
        var source = new Source(compressed, [NoMember]);
        return new(source, new GZipStream(source, CompressionMode.Decompress));
    }

    /// <summary>Reads zlib's format, which HTTP calls deflate.</summary>
    /// <param name="compressed">What came; it stays open.</param>
    /// <returns>What it was before.</returns>
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
    /// Tells the two ends apart by whether more is asked for. zlib's format is read to the end that it has and no further. Behind gzip there may be another member, so more is always asked for; what is
    /// given is a byte that begins none. A reader that was at an end leaves it and stops; one that was not takes it for data, and asks again or finds it wrong.
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
