using System.Buffers;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Serve.Gateway.Proxy;

/// <summary>
/// A request body that can be offered to one worker after another until one takes it. Large bodies and those of unknown length are not sent
/// before the worker asks for them (<c>Expect: 100-continue</c>), so a worker that refuses never sees them; a small one is remembered as
/// it streams through, since asking would cost more than sending it twice.
/// </summary>
internal sealed class ReplayableRequestBody
{
    private const int SmallEnough = 16 * 1024;
    private const int ChunkSize = 16 * 1024;

    private readonly Stream _source;
    private readonly byte[]? _kept;
    private int _keptLength;
    private bool _isLost;
    private Task _sending = Task.CompletedTask;

    private ReplayableRequestBody(HttpContext context)
    {
        _source = context.Request.Body;
        Length = context.Request.ContentLength;
        if (Length <= SmallEnough)
            _kept = GC.AllocateUninitializedArray<byte>((int)Length.Value);
    }

    /// <summary>Its length; null when the client did not say.</summary>
    public long? Length { get; }

    /// <summary>Whether the worker is to ask for it.</summary>
    public bool WaitsForContinue => _kept is null;

    /// <summary>Whether it can be sent, to the first worker or to another.</summary>
    public bool CanBeSent => !_isLost;

    /// <summary>Why it could not be read from the client; null when it could.</summary>
    public Exception? ReadError { get; private set; }

    /// <summary>The request's body.</summary>
    /// <param name="context">The request.</param>
    /// <returns>Null when it has none.</returns>
    public static ReplayableRequestBody? Of(HttpContext context) =>
        context.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody is true ? new ReplayableRequestBody(context) : null;

    /// <summary>Sends it.</summary>
    /// <param name="destination">The connection to the worker.</param>
    /// <param name="cancellationToken">Fires when the request is given up.</param>
    /// <returns>Completes when it has been sent.</returns>
    public Task SendAsync(Stream destination, CancellationToken cancellationToken) =>
        _sending = _kept is null ? StreamAsync(destination, cancellationToken) : ReplayAsync(_kept, destination, cancellationToken);

    /// <summary>Waits until nothing reads the request any longer: a worker may have answered before it was sent to the end.</summary>
    /// <returns>Completes then, whether it was sent or not.</returns>
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
            while (true)
            {
                var read = await ReadAsync(buffer, cancellationToken);
                if (read == 0)
                    return;
                await destination.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
                // A body of unknown length may be a conversation: what the client has said goes out at once.
                if (Length is null)
                    await destination.FlushAsync(cancellationToken);
            }
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
