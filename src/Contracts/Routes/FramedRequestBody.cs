using System.Buffers.Binary;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Primitives;
using Serve.Http;

namespace Serve.Routes;

/// <summary>
/// Request body of unknown length on its way to a worker, followed by the client's trailers, which an HTTP client cannot send: frames of a 4-byte little-endian length and that many bytes;
/// an empty frame ends the body, and length-prefixed names and values follow it.
/// </summary>
/// <param name="frames">The stream of frames.</param>
public sealed class FramedRequestBody(Stream frames) : ReadOnlyStream, IHttpRequestTrailersFeature
{
    /// <summary>Space before the bytes of a frame for its length.</summary>
    public const int PrefixSize = sizeof(int);

    private readonly byte[] _prefix = new byte[PrefixSize];
    private int _left;

    /// <inheritdoc/>
    public bool Available { get; private set; }

    /// <inheritdoc/>
    public IHeaderDictionary Trailers { get; } = new HeaderDictionary();

    /// <summary>Writes the length of a frame.</summary>
    /// <param name="prefix">The first <see cref="PrefixSize"/> bytes of the frame.</param>
    /// <param name="length">Number of bytes that follow.</param>
    public static void WritePrefix(Span<byte> prefix, int length) => BinaryPrimitives.WriteInt32LittleEndian(prefix, length);

    /// <summary>Encodes the end of a body.</summary>
    /// <param name="trailers">The client's trailers.</param>
    /// <returns>The empty frame and the trailers.</returns>
    public static byte[] EncodeEnd(IHeaderDictionary? trailers)
    {
        using var bytes = new MemoryStream();
        using var writer = new BinaryWriter(bytes, Encoding.UTF8);
        writer.Write(0);
        foreach (var (name, values) in trailers ?? new HeaderDictionary())
        {
            foreach (var value in values)
            {
                writer.Write(name);
                writer.Write(value ?? "");
            }
        }

        writer.Flush();
        return bytes.ToArray();
    }

    /// <inheritdoc/>
    public override int Read(Span<byte> buffer)
    {
        if (Available || buffer.IsEmpty)
            return 0;
        if (_left == 0)
        {
            frames.ReadExactly(_prefix);
            if (!BeginFrame())
            {
                using var rest = new MemoryStream();
                frames.CopyTo(rest);
                End(rest);
                return 0;
            }
        }

        return Advance(frames.Read(buffer[..Math.Min(buffer.Length, _left)]));
    }

    /// <inheritdoc/>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (Available || buffer.IsEmpty)
            return 0;
        if (_left == 0)
        {
            await frames.ReadExactlyAsync(_prefix, cancellationToken);
            if (!BeginFrame())
            {
                using var rest = new MemoryStream();
                await frames.CopyToAsync(rest, cancellationToken);
                End(rest);
                return 0;
            }
        }

        return Advance(await frames.ReadAsync(buffer[..Math.Min(buffer.Length, _left)], cancellationToken));
    }

    private bool BeginFrame() => (_left = BinaryPrimitives.ReadInt32LittleEndian(_prefix)) > 0;

    private int Advance(int read)
    {
        if (read == 0)
            throw new EndOfStreamException("The request body ended within a frame.");
        _left -= read;
        return read;
    }

    private void End(MemoryStream rest)
    {
        rest.Position = 0;
        using var reader = new BinaryReader(rest, Encoding.UTF8);
        while (rest.Position < rest.Length)
        {
            var name = reader.ReadString();
            Trailers[name] = StringValues.Concat(Trailers[name], reader.ReadString());
        }

        Available = true;
    }
}
