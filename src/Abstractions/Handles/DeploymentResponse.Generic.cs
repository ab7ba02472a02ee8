using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Serve.Calls;

namespace Serve;

/// <summary>
/// A running call. Await it any number of times, cancel it, or pass it to another call without awaiting it.
/// The call's completion and <see cref="Cancel"/> may race; the first one determines the outcome.
/// </summary>
/// <typeparam name="T">The result's type.</typeparam>
[SuppressMessage("Design", "CA1001", Justification = "The source has no timer left when the call has completed, so there is nothing to dispose.")]
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

    /// <summary>Gets an awaiter for the result.</summary>
    /// <returns>An awaiter.</returns>
    /// <exception cref="ServeException">The call failed; <see cref="UserCodeException"/> if the deployment's own code threw.</exception>
    public ValueTaskAwaiter<T> GetAwaiter() => (_completion is null ? new ValueTask<T>(_result) : new ValueTask<T>(_completion.Task)).GetAwaiter();

    /// <summary>Returns the call as a task, for <see cref="Task.WhenAll(Task[])"/> and the like.</summary>
    /// <returns>A task that completes or fails with the call.</returns>
    public Task<T> AsTask() => _completion?.Task ?? Task.FromResult(_result);

    /// <summary>Creates an argument from the result; the other call waits until it is ready.</summary>
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

    internal static DeploymentResponse<T> Start(Func<CancellationToken, ValueTask<T>> run)
    {
        var response = new DeploymentResponse<T>(null);
        response.Follow(run(response._stop.Token), response.Inherit(RequestContext.Current));
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
        // Full fence: either Cancel observes the completion source, or this thread observes the cancellation.
        Interlocked.Exchange(ref _completion, new TaskCompletionSource<T>());
        if (_options?.Timeout is not null)
            _stop.Token.UnsafeRegister(static response => ((DeploymentResponse<T>)response!).Abandon(), this);
        if (_stop.IsCancellationRequested)
            Abandon();
        _ = FollowAsync(running, inherited);
    }

    private async Task FollowAsync(ValueTask<T> running, CancellationTokenRegistration inherited)
    {
        // End before completing: awaiting code may run inline, and the timer and the link to the request must be gone by then.
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
