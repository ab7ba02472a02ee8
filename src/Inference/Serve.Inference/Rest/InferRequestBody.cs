using System.Globalization;
using Microsoft.AspNetCore.Http;
using Serve.Http;

namespace Serve.Inference.Rest;

/// <summary>The body of a request in one pooled array: the JSON, followed by the binary part, which is aligned.</summary>
internal sealed class InferRequestBody : IDisposable
{
    /// <summary>Header with the length of the JSON, in requests and responses with a binary part.</summary>
    public const string HeaderLengthName = "Inference-Header-Content-Length";

    private const int FirstSize = 4096;
    private const int Alignment = 64;

    private readonly PooledBufferWriter _buffer;
    private readonly int? _jsonLength;
    private int _length;

    private InferRequestBody(PooledBufferWriter buffer, int? jsonLength) => (_buffer, _jsonLength) = (buffer, jsonLength);

    /// <summary>Gets whether the request has a binary part.</summary>
    public bool HasBinaryPart => _jsonLength is not null;

    /// <summary>Gets whether the request has no JSON; see <see cref="RawBinaryRequestReader"/>.</summary>
    public bool IsRaw => _jsonLength is 0;

    public ReadOnlySpan<byte> Json => _buffer.Written.Span[..Math.Min(_jsonLength ?? _length, _length)];

    public Memory<byte> Binary => _jsonLength is { } json && _length > json ? _buffer.Written[Gap(json)..] : Memory<byte>.Empty;

    /// <summary>Reads the body of a request.</summary>
    /// <exception cref="BadInputException">The header with the length of the JSON is malformed or exceeds the body, or the compressed data is invalid.</exception>
    /// <exception cref="BadHttpRequestException">The body is too large, or its encoding is not supported.</exception>
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
            throw new BadInputException($"The request body is not valid for its Content-Encoding, {request.Headers.ContentEncoding}: {broken.Message}", broken);
        }
    }

    private static async ValueTask<InferRequestBody> ReadAsync(HttpRequest request, Stream content, long? size, int limit, CancellationToken cancellationToken)
    {
        var jsonLength = HeaderLength(request);
        var expected = size ?? FirstSize;
        if (jsonLength > expected && size is not null)
            throw TooShort(jsonLength.Value, expected);
        // One byte more than expected, so that the end is detected without growing.
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
                    throw new BadHttpRequestException($"The request body is larger than {limit} bytes (http_options.max_request_body_bytes).", StatusCodes.Status413PayloadTooLarge);
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

    // The binary part starts at an aligned offset, so that its tensors can be used in place.
    private Memory<byte> Free()
    {
        // The header is not trusted: the buffer grows with the received bytes.
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
            : throw new BadInputException($"{HeaderLengthName} must be the length of the JSON in bytes, but was '{header}'.");
    }

    private static BadInputException TooShort(int json, long body) =>
        new($"{HeaderLengthName} is {json} bytes, but the whole body has {body}.");
}
