using System.Globalization;
using Microsoft.AspNetCore.Http;
using Serve.Runtime;
using Serve.Runtime.Http;

namespace Serve.Inference.Rest;

/// <summary>A request's body in one pooled array: its JSON, and behind it, aligned, the binary part.</summary>
internal sealed class InferRequestBody : IDisposable
{
    /// <summary>Says how long the JSON is, in requests and responses with a binary part.</summary>
    public const string HeaderLengthName = "Inference-Header-Content-Length";

    private const int FirstSize = 4096;
    private const int Alignment = 64;

    private readonly PooledBufferWriter _buffer;
    private readonly int? _jsonLength;
    private int _length;

    private InferRequestBody(PooledBufferWriter buffer, int? jsonLength) => (this._buffer, this._jsonLength) = (buffer, jsonLength);

    /// <summary>Whether the request said where its JSON ends.</summary>
    public bool HasBinaryPart => _jsonLength is not null;

    /// <summary>Whether it has no JSON at all: see <see cref="RawBinaryRequestReader"/>.</summary>
    public bool IsRaw => _jsonLength is 0;

    public ReadOnlySpan<byte> Json => _buffer.Written.Span[..Math.Min(_jsonLength ?? _length, _length)];

    public Memory<byte> Binary => _jsonLength is { } json && _length > json ? _buffer.Written[Gap(json)..] : Memory<byte>.Empty;

    /// <summary>Reads a request's body to its end.</summary>
    /// <exception cref="BadInputException">The header that says where its JSON ends is malformed, or says more than there is.</exception>
    /// <exception cref="BadHttpRequestException">It is too large, or compressed in a way that is not known here.</exception>
    public static ValueTask<InferRequestBody> ReadAsync(HttpRequest request, CancellationToken cancellationToken) => request.Headers.ContentEncoding.Count == 0
        ? ReadAsync(request, request.Body, request.ContentLength, RequestBodyLimit.Most, cancellationToken)
        : DecompressAsync(request, cancellationToken);

    private static async ValueTask<InferRequestBody> DecompressAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        try
        {
            await using var content = RequestContentDecoder.Open(request);
            return await ReadAsync(request, content, null, RequestBodyLimit.Of(request.HttpContext), cancellationToken);
        }
        catch (InvalidDataException broken)
        {
            throw new BadInputException($"The request's body is not what its Content-Encoding says, {request.Headers.ContentEncoding}: {broken.Message}", broken);
        }
    }

    private static async ValueTask<InferRequestBody> ReadAsync(HttpRequest request, Stream content, long? size, int limit, CancellationToken cancellationToken)
    {
        var jsonLength = HeaderLength(request);
        var expected = size ?? FirstSize;
        if (jsonLength > expected && size is not null)
            throw TooShort(jsonLength.Value, expected);
        // One byte more than there should be, to be told of the end without growing.
        var body = new InferRequestBody(new((int)Math.Min(expected + Alignment + 1, Array.MaxLength)), jsonLength);
        try
        {
            while (true)
            {
                var read = await content.ReadAsync(body.Free(), cancellationToken);
                if (read == 0)
                    break;
                body._buffer.Advance(read);
                body._length += read;
                if (body._length > limit)
                    throw new BadHttpRequestException($"The request's body is larger than {limit} bytes (http_options.max_request_body_bytes).", StatusCodes.Status413PayloadTooLarge);
            }

            return jsonLength is null || jsonLength <= body._length ? body : throw TooShort(jsonLength.Value, body._length);
        }
        catch
        {
            body.Dispose();
            throw;
        }
    }

    public void Dispose() => _buffer.Dispose();

    // The JSON first, then the binary part at an offset of its own, so that its tensors can be used where they lie.
    private Memory<byte> Free()
    {
        // Not at once as much as the header says: nothing may have come yet.
        if (_jsonLength is { } json && _length < json)
        {
            var free = _buffer.GetMemory();
            return free[..Math.Min(json - _length, free.Length)];
        }

        if (_jsonLength is { } end && _buffer.Length < Gap(end))
        {
            _buffer.GetSpan(Gap(end) - _buffer.Length);
            _buffer.Advance(Gap(end) - _buffer.Length);
        }

        return _buffer.GetMemory();
    }

    private static int Gap(int json) => (json + Alignment - 1) & -Alignment;

    private static int? HeaderLength(HttpRequest request)
    {
        var header = request.Headers[HeaderLengthName].ToString();
        if (header.Length == 0)
            return null;
        return int.TryParse(header, NumberStyles.None, CultureInfo.InvariantCulture, out var length)
            ? length
            : throw new BadInputException($"{HeaderLengthName} is the length of the request's JSON in bytes, not '{header}'.");
    }

    private static BadInputException TooShort(int json, long body) =>
        new($"{HeaderLengthName} says that the JSON has {json} bytes; the whole body has {body}.");
}
