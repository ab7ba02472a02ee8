using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace Serve.Gateway.Requests;

/// <summary>Runs a request under <c>request_timeout_s</c>: when it is over, the request's own token fires, wherever it is being served.</summary>
internal static class RequestTimeout
{
    /// <summary>Runs the request.</summary>
    /// <param name="context">The request.</param>
    /// <param name="next">What serves it.</param>
    /// <param name="limit">How long it may take.</param>
    /// <param name="time">The clock.</param>
    /// <returns>Completes when it is answered.</returns>
    /// <exception cref="RequestTimeoutException">It took longer.</exception>
    public static async Task RunAsync(HttpContext context, RequestDelegate next, TimeSpan limit, TimeProvider time)
    {
        var clientGone = context.RequestAborted;
        using var over = new CancellationTokenSource(limit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(clientGone, over.Token);
        context.RequestAborted = either.Token;
        try
        {
            await next(context);
        }
        catch (Exception error) when (over.IsCancellationRequested && !clientGone.IsCancellationRequested && error is not ServeException)
        {
            throw TimedOut(limit);
        }
        finally
        {
            context.RequestAborted = clientGone;
        }

        // A replica that was stopped by its token returns without a word, or in the middle of its answer.
        if (over.IsCancellationRequested && !clientGone.IsCancellationRequested && !context.Response.HasStarted)
            throw TimedOut(limit);
    }

    private static RequestTimeoutException TimedOut(TimeSpan limit) => new(string.Create(
        CultureInfo.InvariantCulture, $"The request took longer than {limit.TotalSeconds} s (http_options.request_timeout_s)."));
}
