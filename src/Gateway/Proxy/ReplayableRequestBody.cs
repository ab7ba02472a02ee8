using System.Buffers;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Serve.Http;
using Serve.Routes;

namespace Serve.Gateway.Proxy;

/// <summary>
/// A request body that can be offered to several workers until one accepts it. Large bodies and bodies of unknown length are not sent
/// before the worker requests them (<c>Expect: 100-continue</c>), so a refusing worker does not receive them. A small body is buffered while
/// it is sent, since the round trip would cost more than sending it twice.
/// </summary>
internal sealed class ReplayableRequestBody
{
    private const int SmallEnough = 16 * 1024;
    private const int ChunkSize = 16 * 1024;

    private readonly Stream _source;
    private readonly IHttpRequestTrailersFeature? _trailers;
    private readonly byte[]? _kept;
    private int _keptLength;
    private bool _isLost;
    private Task _sending = Task.CompletedTask;

    private ReplayableRequestBody(HttpContext context)
    {
        _source = context.Request.Body;
        Length = context.Request.ContentLength;
        // A gRPC call has no request trailers.
        IsFramed = Length is null && !GrpcRequests.IsGrpc(context.Request);
        _trailers = context.Features.Get<IHttpRequestTrailersFeature>();
        if (Length <= SmallEnough)
            _kept = GC.AllocateUninitializedArray<byte>((int)Length.Value);
    }

    /// <summary>Gets the length; null if it is unknown.</summary>
    public long? Length { get; }

    /// <summary>Gets whether the body is sent as a <see cref="FramedRequestBody"/>.</summary>
    public bool IsFramed { get; }

    /// <summary>Gets whether the worker must request the body.</summary>
    public bool WaitsForContinue => _kept is null;

    /// <summary>Gets whether the body can be sent, to the first or to another worker.</summary>
    public bool CanBeSent => !_isLost;

    /// <summary>Gets the error of reading it from the client; null if there is none.</summary>
    public Exception? ReadError { get; private set; }

    /// <summary>Creates the body of a request.</summary>
    /// <param name="context">The request.</param>
    /// <returns>Null if the request has no body.</returns>
    public static ReplayableRequestBody? Of(HttpContext context) =>
        context.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody is true ? new ReplayableRequestBody(context) : null;

    /// <summary>Sends the body.</summary>
    /// <param name="destination">The connection to the worker.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    public Task SendAsync(Stream destination, CancellationToken cancellationToken) =>
        _sending = _kept is null ? StreamAsync(destination, cancellationToken) : ReplayAsync(_kept, destination, cancellationToken);

    /// <summary>Waits until the request is no longer read: a worker may respond before it has received the whole body.</summary>
    public async Task WhenSentAsync() => await _sending.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    private async Task ReplayAsync(byte[] buffer, Stream destination, CancellationToken cancellationToken)
    {
        await destination.WriteAsync(buffer.AsMemory(0, _keptLength), cancellationToken);
        while (_keptLength < Length)
        {
            var read = await ReadAsync(buffer.AsMemory(_keptLength, (int)Length - _keptLength), cancellationToken);
            if (read == 0)
                return;
            var chunk = buffer.AsMemory(_keptLength, read);
            _keptLength += read;
            await destination.WriteAsync(chunk, cancellationToken);
        }
    }

    private async Task StreamAsync(Stream destination, CancellationToken cancellationToken)
    {
        _isLost = true;
        var buffer = ArrayPool<byte>.Shared.Rent(ChunkSize);
        try
        {
            var prefix = IsFramed ? FramedRequestBody.PrefixSize : 0;
            for (int read; (read = await ReadAsync(buffer.AsMemory(prefix), cancellationToken)) > 0;)
            {
                if (IsFramed)
                    FramedRequestBody.WritePrefix(buffer, read);
                await destination.WriteAsync(buffer.AsMemory(0, prefix + read), cancellationToken);
                // A body of unknown length may be a duplex stream, so each part is flushed.
                if (Length is null)
                    await destination.FlushAsync(cancellationToken);
            }

            if (IsFramed)
                await destination.WriteAsync(FramedRequestBody.EncodeEnd(_trailers?.Available is true ? _trailers.Trailers : null), cancellationToken);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        try
        {
            return await _source.ReadAsync(buffer, cancellationToken);
        }
        catch (Exception error)
        {
            _isLost = true;
            ReadError = error;
            throw new IOException("The request's body could not be read from the client.", error);
        }
    }
}
