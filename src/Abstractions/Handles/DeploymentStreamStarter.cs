using System.Runtime.CompilerServices;
using Serve.Calls;

namespace Serve;

/// <summary>Starts streaming calls with the caller's options and the context of the request being served.</summary>
internal static class DeploymentStreamStarter
{
    public static IAsyncEnumerable<TItem> Start<TItem>(ICallTarget target, HandleCallOptions? options, MethodCall<IAsyncEnumerable<TItem>> call)
    {
        var request = RequestContext.Current;
        return options?.Timeout is null && request is null
            ? target.StreamAsync(call, HandleCallOptions.ContextFor(options, request), CancellationToken.None)
            : RunAsync(target, options, request, _ => ValueTask.FromResult(call));
    }

    public static IAsyncEnumerable<TItem> StartWhenReady<TItem>(
        ICallTarget target, HandleCallOptions? options, Func<CancellationToken, ValueTask<MethodCall<IAsyncEnumerable<TItem>>>> prepare) =>
        RunAsync(target, options, RequestContext.Current, prepare);

    public static string TimeoutMessage(HandleCallOptions options) =>
        $"The call exceeded its timeout of {DurationTextFormat.Of(options.Timeout!.Value)} and was canceled.";

    private static async IAsyncEnumerable<TItem> RunAsync<TItem>(
        ICallTarget target,
        HandleCallOptions? options,
        RequestContext? request,
        Func<CancellationToken, ValueTask<MethodCall<IAsyncEnumerable<TItem>>>> prepare,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        using var deadline = options?.Timeout is { } timeout ? new CancellationTokenSource(timeout, options.Clock) : new CancellationTokenSource();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, request?.Aborted ?? default, deadline.Token);
        var call = await TimedAsync(prepare(stop.Token));
        await using var items = target.StreamAsync(call, HandleCallOptions.ContextFor(options, request), stop.Token).GetAsyncEnumerator(stop.Token);
        while (await TimedAsync(items.MoveNextAsync()))
            yield return items.Current;

        async ValueTask<T> TimedAsync<T>(ValueTask<T> step)
        {
            try
            {
                return await step.ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (deadline.IsCancellationRequested)
            {
                throw new RequestTimeoutException(TimeoutMessage(options!));
            }
        }
    }
}
