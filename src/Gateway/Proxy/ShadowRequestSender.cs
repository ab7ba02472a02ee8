using System.Collections.Concurrent;
using System.Diagnostics;
using Microsoft.AspNetCore.Http;
using Serve.Routes;
using Serve.Routing;

namespace Serve.Gateway.Proxy;

/// <summary>
/// Sends copies of requests to the second revision of an application, after the first has answered, and drops the answers. Never waits for a copy: those beyond the limit are dropped.
/// </summary>
/// <param name="services">Services of the gateway.</param>
/// <param name="time">Clock of timeouts.</param>
internal sealed class ShadowRequestSender(IServiceProvider services, TimeProvider time) : IDisposable
{
    /// <summary>How long a copy may take.</summary>
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(60);

    private readonly ConcurrentDictionary<string, StrongBox> _ongoing = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource _stopping = new();

    /// <summary>Begins the copy of a request to the first revision, if it is selected.</summary>
    /// <param name="context">The request.</param>
    /// <param name="split">Both revisions.</param>
    /// <returns>Null if the request is not copied.</returns>
    public ShadowRequest? TryBegin(HttpContext context, CanarySplit split)
    {
        if (!split.IsShadowed())
            return null;
        var application = NameOf(split);
        if (!ShadowRequest.IsBounded(context, split.Route.ShadowMaxBodyBytes))
        {
            ShadowMetrics.Count(application, "skipped");
            return null;
        }

        if (Volatile.Read(ref OngoingOf(application).Value) >= split.Route.ShadowMaxConcurrentRequests)
        {
            ShadowMetrics.Count(application, "dropped");
            return null;
        }

        return ShadowRequest.Begin(context);
    }

    /// <summary>Sends a copy. Returns immediately.</summary>
    /// <param name="shadow">The copy.</param>
    /// <param name="split">Both revisions.</param>
    /// <param name="primary">Status and duration of the request.</param>
    /// <param name="serve">Serves the copy by the second revision.</param>
    public void Send(ShadowRequest shadow, CanarySplit split, (int Status, TimeSpan Duration) primary, Func<HttpContext, CancellationToken, Task> serve)
    {
        var application = NameOf(split);
        var ongoing = OngoingOf(application);
        if (!shadow.IsComplete)
        {
            ShadowMetrics.Count(application, "skipped");
        }
        else if (Interlocked.Increment(ref ongoing.Value) > split.Route.ShadowMaxConcurrentRequests)
        {
            Interlocked.Decrement(ref ongoing.Value);
            ShadowMetrics.Count(application, "dropped");
        }
        else
        {
            ShadowMetrics.Count(application, "sent");
            _ = Task.Run(() => SendAsync(shadow, split, primary, serve, ongoing));
        }
    }

    public void Dispose()
    {
        _stopping.Cancel();
        _stopping.Dispose();
    }

    private async Task SendAsync(ShadowRequest shadow, CanarySplit split, (int Status, TimeSpan Duration) primary, Func<HttpContext, CancellationToken, Task> serve, StrongBox ongoing)
    {
        var started = Stopwatch.GetTimestamp();
        var status = StatusCodes.Status500InternalServerError;
        try
        {
            using var timeout = new CancellationTokenSource(Timeout, time);
            using var aborted = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, _stopping.Token);
            var context = shadow.CreateContext(services, aborted.Token);
            await serve(context, aborted.Token);
            status = context.Response.StatusCode;
        }
        catch (Exception error)
        {
            // The client of the copy is the comparison only.
            status = (error as ServeException)?.StatusCode ?? status;
        }
        finally
        {
            Interlocked.Decrement(ref ongoing.Value);
        }

        var elapsed = Stopwatch.GetElapsedTime(started);
        split.Meter.CountShadow(status >= StatusCodes.Status500InternalServerError, elapsed);
        ShadowMetrics.Compare(NameOf(split), primary, (status, elapsed));
    }

    private static string NameOf(CanarySplit split) => CanaryName.ApplicationOf(split.Route.Application)!;

    private StrongBox OngoingOf(string application) => _ongoing.GetOrAdd(application, static _ => new());

    private sealed class StrongBox
    {
        public int Value;
    }
}
