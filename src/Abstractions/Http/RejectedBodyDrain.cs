using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Serve.Http;

/// <summary>
/// Receives the rest of a body that was rejected because of its size, after the response has been sent and within bounds. A server that closes a connection with unread data resets it, and a
/// client that sends before it reads would see the reset instead of the 413.
/// </summary>
public static class RejectedBodyDrain
{
    private static readonly TimeSpan MaxDuration = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan MaxPause = TimeSpan.FromSeconds(1);

    /// <summary>Completes the response, then discards the rest of the body for at most 5 seconds. HTTP/2 and clients that wait for <c>100 Continue</c> need no drain.</summary>
    /// <param name="context">A request that has been answered with 413.</param>
    /// <param name="time">Clock of the bounds.</param>
    /// <returns>A task that completes when the body has ended, or a bound is reached.</returns>
    public static async Task RunAsync(HttpContext context, TimeProvider time)
    {
        var (request, limit) = (context.Request, context.Features.Get<IHttpMaxRequestBodySizeFeature>());
        var isUnread = limit is { IsReadOnly: false };
        if (!HttpProtocol.IsHttp11(request.Protocol) || (isUnread && request.Headers.Expect.Count > 0))
            return;
        using var stop = new CancellationTokenSource(MaxDuration, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stop.Token, context.RequestAborted);
        try
        {
            await context.Response.CompleteAsync();
            if (isUnread && request.ContentLength > limit!.MaxRequestBodySize)
                await DiscardAsync(context, request.ContentLength.Value, time, either.Token);
            else
                await request.Body.CopyToAsync(Stream.Null, either.Token);
        }
        catch (BadHttpRequestException tooLarge) when (tooLarge.StatusCode == StatusCodes.Status413PayloadTooLarge)
        {
            // A chunked body was too large while it was read: the server reads no more of it, and its end is unknown.
            await DiscardAsync(context, long.MaxValue, time, either.Token);
        }
        catch (Exception ended) when (ended is IOException or OperationCanceledException or InvalidOperationException)
        {
            // The client has closed the connection, a bound is reached, or user code still reads.
        }
    }

    // Reads the connection: the server itself reads no body over its limit, and closes the connection after the response.
    private static async Task DiscardAsync(HttpContext context, long length, TimeProvider time, CancellationToken cancellationToken)
    {
        if (context.Features.Get<IConnectionTransportFeature>()?.Transport.Input is not { } input)
            return;
        try
        {
            while (length > 0)
            {
                using var pause = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
                await using var timer = time.CreateTimer(static state => ((CancellationTokenSource)state!).Cancel(), pause, MaxPause, Timeout.InfiniteTimeSpan);
                var read = await input.ReadAsync(pause.Token);
                length -= read.Buffer.Length;
                input.AdvanceTo(read.Buffer.End);
                if (read.IsCompleted)
                    return;
            }
        }
        catch (Exception ended) when (ended is IOException or OperationCanceledException or InvalidOperationException)
        {
            // As above.
        }
    }
}
