using System.Globalization;
using Microsoft.AspNetCore.Http;
using Serve.Http;
using Serve.Routes;

namespace Serve.Gateway.Requests;

/// <summary>Runs a request under a time limit: when it is over, the request's own token fires, wherever it is being served, and the client gets 408.</summary>
internal static class RequestTimeoutEnforcer
{
    // How long code that listens to its token is given to end by itself, before the client is answered over its head.
    private static readonly TimeSpan Grace = TimeSpan.FromMilliseconds(250);

    /// <summary>Runs the request.</summary>
    /// <param name="context">The request.</param>
    /// <param name="next">What serves it.</param>
    /// <param name="limit">How long it may take.</param>
    /// <param name="setting">What set the limit, for people.</param>
    /// <param name="time">The clock.</param>
    /// <returns>Completes when it is answered and nothing serves it any longer.</returns>
    /// <exception cref="RequestTimeoutException">It took longer.</exception>
    public static async Task RunAsync(HttpContext context, RequestDelegate next, TimeSpan limit, string setting, TimeProvider time)
    {
        var clientGone = context.RequestAborted;
        var tooLong = new RequestTimeoutException(string.Create(
            CultureInfo.InvariantCulture, $"The request took longer than {limit.TotalSeconds} s ({setting})."));
        using var over = new CancellationTokenSource(limit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(clientGone, over.Token);
        var response = WebSocketUpgrade.IsRequested(context) ? null : DetachableResponseFeature.Attach(context);
        context.RequestAborted = either.Token;
        var answered = false;
        try
        {
            var running = next(context);
            if (!running.IsCompleted && response is not null)
                answered = await AnswerInTimeAsync(context, running, response, tooLong, time, over.Token);
            await running;
        }
        catch (Exception) when (answered)
        {
            // The client has its answer; how the code ended that did not listen concerns nobody.
            return;
        }
        catch (Exception error) when (over.IsCancellationRequested && !clientGone.IsCancellationRequested && error is not ServeException)
        {
            throw tooLong;
        }
        finally
        {
            context.RequestAborted = clientGone;
            response?.Restore();
        }

        // A replica that was stopped by its token may return without a word.
        if (over.IsCancellationRequested && !clientGone.IsCancellationRequested && !context.Response.HasStarted)
            throw tooLong;
    }

    private static async Task<bool> AnswerInTimeAsync(
        HttpContext context, Task running, DetachableResponseFeature response, RequestTimeoutException tooLong, TimeProvider time, CancellationToken over)
    {
        var timeIsUp = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using (over.UnsafeRegister(static state => ((TaskCompletionSource)state!).TrySetResult(), timeIsUp))
            await Task.WhenAny(running, timeIsUp.Task);
        if (running.IsCompleted)
            return false;
        await Task.WhenAny(running, Task.Delay(Grace, time, CancellationToken.None));
        if (running.IsCompleted || response.TryDetach() is not { } own)
            return false;
        // The connection is taken up by the request until its code ends; the client's next one needs another.
        own.TraceIdentifier = context.TraceIdentifier;
        own.Response.OnStarting(static state => FinishHeadersAsync((HttpContext)state), own);
        await ProblemDetailsWriter.WriteAsync(own, tooLong);
        await own.Response.CompleteAsync();
        return true;
    }

    private static Task FinishHeadersAsync(HttpContext context)
    {
        context.Response.Headers[WireHeaderNames.RequestId] = context.TraceIdentifier;
        if (HttpProtocol.IsHttp11(context.Request.Protocol))
            context.Response.Headers.Connection = "close";
        return Task.CompletedTask;
    }
}
