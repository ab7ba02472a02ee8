using System.Globalization;
using Microsoft.AspNetCore.Http;
using Serve.Http;
using Serve.Routes;

namespace Serve.Gateway.Requests;

/// <summary>Runs a request under a time limit. When the limit expires, the request's token is canceled, wherever the request is served, and the client receives 408.</summary>
internal static class RequestTimeoutEnforcer
{
    // Time for code that observes its token to end by itself, before the client receives the response without it.
    private static readonly TimeSpan Grace = TimeSpan.FromMilliseconds(250);

    /// <summary>Runs the request.</summary>
    /// <param name="context">The request.</param>
    /// <param name="next">Serves the request.</param>
    /// <param name="limit">The time limit.</param>
    /// <param name="time">Clock of the limit.</param>
    /// <exception cref="RequestTimeoutException">The limit expired.</exception>
    public static async Task RunAsync(HttpContext context, RequestDelegate next, RequestTimeLimit limit, TimeProvider time)
    {
        var clientGone = context.RequestAborted;
        var tooLong = new RequestTimeoutException(string.Create(
            CultureInfo.InvariantCulture, $"The request took longer than {limit.Duration.TotalSeconds} s ({limit.Setting})."));
        using var over = new CancellationTokenSource(limit.Duration, time);
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
            // The client has its response already.
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

        // A canceled replica may return without a response.
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
        // The connection is occupied until the code of the request ends; the client's next request needs another one.
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
