using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Serve.Calls;

namespace Serve;

/// <summary>
/// A running call: await it (as often as you like), cancel it, or pass it un-awaited as an argument of another call.
/// State is written by the call's own completion and by <see cref="Cancel"/>; who comes first wins.
/// </summary>
/// <typeparam name="T">The result's type.</typeparam>
[SuppressMessage("Design", "CA1001", Justification = "The source has no timer left when the call ends, so there is nothing to dispose.")]
public sealed class DeploymentResponse<T> : DeploymentResponse, IPendingResult<T>
{
    private readonly CancellationTokenSource stop;
    private readonly CallOptions? options;
    private TaskCompletionSource<T>? completion;
    private T result = default!;
    private bool cancelled;
    private volatile bool ended;

    private DeploymentResponse(CallOptions? options)
    {
        this.options = options;
        stop = options?.Timeout is { } timeout ? new CancellationTokenSource(timeout, options.Clock) : new CancellationTokenSource();
    }

    /// <inheritdoc/>
    public override bool IsCompleted => completion is null || completion.Task.IsCompleted;

    /// <summary>Makes the response awaitable.</summary>
    /// <returns>An awaiter.</returns>
    /// <exception cref="ServeException">The call failed; <see cref="UserCodeException"/> when the deployment's own code threw.</exception>
    public ValueTaskAwaiter<T> GetAwaiter() => (completion is null ? new ValueTask<T>(result) : new ValueTask<T>(completion.Task)).GetAwaiter();

    /// <summary>The call as a task, for <see cref="Task.WhenAll(Task[])"/> and the like.</summary>
    /// <returns>A task that ends as the call does.</returns>
    public Task<T> AsTask() => completion?.Task ?? Task.FromResult(result);

    /// <summary>Passes the result to another call, once it is there.</summary>
    /// <param name="response">The running call.</param>
    public static implicit operator Arg<T>(DeploymentResponse<T> response) => Arg<T>.After(response);

    /// <inheritdoc/>
    public override void Cancel()
    {
        if (ended)
            return;
        cancelled = true;
        stop.Cancel();
        Abandon();
    }

    internal static DeploymentResponse<T> Start(ICallTarget target, CallOptions? options, MethodCall<T> call)
    {
        var response = new DeploymentResponse<T>(options);
        var request = RequestContext.Current;
        var inherited = response.Inherit(request);
        var running = response.Invoke(target, call, request);
        if (running.IsCompletedSuccessfully)
        {
            response.result = running.Result;
            response.End(inherited);
        }
        else
        {
            response.Follow(running, inherited);
        }

        return response;
    }

    internal static DeploymentResponse<T> StartWhenReady(
        ICallTarget target, CallOptions? options, Func<CancellationToken, ValueTask<MethodCall<T>>> prepare)
    {
        var response = new DeploymentResponse<T>(options);
        var request = RequestContext.Current;
        response.Follow(response.InvokeWhenReady(target, prepare, request), response.Inherit(request));
        return response;
    }

    private protected override async ValueTask<object?> BoxAsync(CancellationToken cancellationToken) =>
        await AsTask().WaitAsync(cancellationToken).ConfigureAwait(false);

    private CancellationTokenRegistration Inherit(RequestContext? request) =>
        request is { Aborted.CanBeCanceled: true }
            ? request.Aborted.UnsafeRegister(static response => ((DeploymentResponse<T>)response!).Cancel(), this)
            : default;

    private ValueTask<T> Invoke(ICallTarget target, MethodCall<T> call, RequestContext? request)
    {
        try
        {
            return target.InvokeAsync(call, CallOptions.ContextFor(options, request), stop.Token);
        }
        catch (Exception e)
        {
            return ValueTask.FromException<T>(e);
        }
    }

    private async ValueTask<T> InvokeWhenReady(
        ICallTarget target, Func<CancellationToken, ValueTask<MethodCall<T>>> prepare, RequestContext? request)
    {
        var call = await prepare(stop.Token).ConfigureAwait(false);
        return await Invoke(target, call, request).ConfigureAwait(false);
    }

    private void Follow(ValueTask<T> running, CancellationTokenRegistration inherited)
    {
        // A full fence: either Cancel sees the completion, or this sees that it was cancelled.
        Interlocked.Exchange(ref completion, new TaskCompletionSource<T>());
        if (options?.Timeout is not null)
            stop.Token.UnsafeRegister(static response => ((DeploymentResponse<T>)response!).Abandon(), this);
        if (stop.IsCancellationRequested)
            Abandon();
        _ = FollowAsync(running, inherited);
    }

    private async Task FollowAsync(ValueTask<T> running, CancellationTokenRegistration inherited)
    {
        // Ended before it completes: who awaits it may run at once, and must find no timer and no link to the request left.
        try
        {
            var value = await running.ConfigureAwait(false);
            End(inherited);
            completion!.TrySetResult(value);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            End(inherited);
            Abandon();
        }
        catch (OperationCanceledException e)
        {
            End(inherited);
            completion!.TrySetCanceled(e.CancellationToken);
        }
        catch (Exception e)
        {
            End(inherited);
            completion!.TrySetException(e);
        }
    }

    private void End(CancellationTokenRegistration inherited)
    {
        ended = true;
        inherited.Unregister();
        if (options?.Timeout is not null)
            stop.CancelAfter(Timeout.InfiniteTimeSpan);
    }

    private void Abandon()
    {
        if (cancelled)
            completion?.TrySetCanceled(stop.Token);
        else
            completion?.TrySetException(new RequestTimeoutException(CallStream.TimeoutMessage(options!)));
    }
}
