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
public sealed class DeploymentResponse<T> : DeploymentResponse, IPendingCallResult<T>
{
    private readonly CancellationTokenSource _stop;
    private readonly HandleCallOptions? _options;
    private TaskCompletionSource<T>? _completion;
    private T _result = default!;
    private bool _cancelled;
    private volatile bool _ended;

    private DeploymentResponse(HandleCallOptions? options)
    {
        _options = options;
        _stop = options?.Timeout is { } timeout ? new CancellationTokenSource(timeout, options.Clock) : new CancellationTokenSource();
    }

    /// <inheritdoc/>
    public override bool IsCompleted => _completion is null || _completion.Task.IsCompleted;

    /// <summary>Makes the response awaitable.</summary>
    /// <returns>An awaiter.</returns>
    /// <exception cref="ServeException">The call failed; <see cref="UserCodeException"/> when the deployment's own code threw.</exception>
    public ValueTaskAwaiter<T> GetAwaiter() => (_completion is null ? new ValueTask<T>(_result) : new ValueTask<T>(_completion.Task)).GetAwaiter();

    /// <summary>The call as a task, for <see cref="Task.WhenAll(Task[])"/> and the like.</summary>
    /// <returns>A task that ends as the call does.</returns>
    public Task<T> AsTask() => _completion?.Task ?? Task.FromResult(_result);

    /// <summary>Passes the result to another call, once it is there.</summary>
    /// <param name="response">The running call.</param>
    public static implicit operator Arg<T>(DeploymentResponse<T> response) => Arg.After<T>(response);

    /// <inheritdoc/>
    public override void Cancel()
    {
        if (_ended)
            return;
        _cancelled = true;
        _stop.Cancel();
        Abandon();
    }

    internal static DeploymentResponse<T> Start(ICallTarget target, HandleCallOptions? options, MethodCall<T> call)
    {
        var response = new DeploymentResponse<T>(options);
        var request = RequestContext.Current;
        var inherited = response.Inherit(request);
        var running = response.Invoke(target, call, request);
        if (running.IsCompletedSuccessfully)
        {
            response._result = running.Result;
            response.End(inherited);
        }
        else
        {
            response.Follow(running, inherited);
        }

        return response;
    }

    internal static DeploymentResponse<T> StartWhenReady(
        ICallTarget target, HandleCallOptions? options, Func<CancellationToken, ValueTask<MethodCall<T>>> prepare)
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
            return target.InvokeAsync(call, HandleCallOptions.ContextFor(_options, request), _stop.Token);
        }
        catch (Exception e)
        {
            return ValueTask.FromException<T>(e);
        }
    }

    private async ValueTask<T> InvokeWhenReady(
        ICallTarget target, Func<CancellationToken, ValueTask<MethodCall<T>>> prepare, RequestContext? request)
    {
        var call = await prepare(_stop.Token).ConfigureAwait(false);
        return await Invoke(target, call, request).ConfigureAwait(false);
    }

    private void Follow(ValueTask<T> running, CancellationTokenRegistration inherited)
    {
        // A full fence: either Cancel sees the completion, or this sees that it was cancelled.
        Interlocked.Exchange(ref _completion, new TaskCompletionSource<T>());
        if (_options?.Timeout is not null)
            _stop.Token.UnsafeRegister(static response => ((DeploymentResponse<T>)response!).Abandon(), this);
        if (_stop.IsCancellationRequested)
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
            _completion!.TrySetResult(value);
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            End(inherited);
            Abandon();
        }
        catch (OperationCanceledException e)
        {
            End(inherited);
            _completion!.TrySetCanceled(e.CancellationToken);
        }
        catch (Exception e)
        {
            End(inherited);
            _completion!.TrySetException(e);
        }
    }

    private void End(CancellationTokenRegistration inherited)
    {
        _ended = true;
        inherited.Unregister();
        if (_options?.Timeout is not null)
            _stop.CancelAfter(Timeout.InfiniteTimeSpan);
    }

    private void Abandon()
    {
        if (_cancelled)
            _completion?.TrySetCanceled(_stop.Token);
        else
            _completion?.TrySetException(new RequestTimeoutException(DeploymentStreamStarter.TimeoutMessage(_options!)));
    }
}
