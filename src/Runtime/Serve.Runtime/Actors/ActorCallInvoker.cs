using Serve.Calls;
using Serve.Runtime.Methods;

namespace Serve.Runtime;

/// <summary>
/// Invokes methods of one instance: directly if the caller was compiled against its class, otherwise by name. Exceptions of user code are thrown
/// unchanged; refusals of the platform as <see cref="PlatformCallException"/>. Stateless.
/// </summary>
internal sealed class ActorCallInvoker(object target, ActorMethodTable methods)
{
    public ValueTask<TResult> Invoke<TResult>(MethodCall<TResult> call, CancellationToken token) =>
        call.TryInvoke(target, token, out var result) ? result : InvokeByNameAsync(call, token);

    public ValueTask<IAsyncEnumerable<TItem>> InvokeStream<TItem>(MethodCall<IAsyncEnumerable<TItem>> call, CancellationToken token) =>
        call.TryInvoke(target, token, out var result) ? result : StreamByNameAsync(call, token);

    /// <summary>Passes a call of a queued method to its queue.</summary>
    public ValueTask<TResult> Queue<TResult>(MethodCall<TResult> call, CancellationToken token) =>
        methods.QueueTargetOf(call.Method) is { } taker && call.TryInvoke(taker, token, out var result) ? result : InvokeByNameAsync(call, token);

    /// <inheritdoc cref="Queue"/>
    public ValueTask<IAsyncEnumerable<TItem>> QueueStream<TItem>(MethodCall<IAsyncEnumerable<TItem>> call, CancellationToken token) =>
        methods.QueueTargetOf(call.Method) is { } taker && call.TryInvoke(taker, token, out var result) ? result : StreamByNameAsync(call, token);

    private async ValueTask<TResult> InvokeByNameAsync<TResult>(MethodCall<TResult> call, CancellationToken token)
    {
        var bound = Bind(call);
        if (bound.Method.Items is not null)
            throw new PlatformCallException(new BadInputException($"{bound.Method.FullName} streams its results; call it as a stream."));
        var value = await bound.Method.InvokeAsync(target, bound.Arguments, token).ConfigureAwait(false);
        return Convert<TResult>(value, bound.Method);
    }

    private async ValueTask<IAsyncEnumerable<TItem>> StreamByNameAsync<TItem>(MethodCall<IAsyncEnumerable<TItem>> call, CancellationToken token)
    {
        var bound = Bind(call);
        if (bound.Method.Items is not { } items)
            throw new PlatformCallException(new BadInputException($"{bound.Method.FullName} does not stream; call it for its one result."));
        var value = await bound.Method.InvokeAsync(target, bound.Arguments, token).ConfigureAwait(false);
        return value switch
        {
            IAsyncEnumerable<TItem> fits => fits,
            null => throw new InvalidOperationException($"{bound.Method.FullName} returned null instead of a stream."),
            _ => new ConvertedItemStream<TItem>(items(value), item => Convert<TItem>(item, bound.Method)),
        };
    }

    private BoundMethodCall Bind<TResult>(MethodCall<TResult> call)
    {
        try
        {
            return methods.Bind(call.Method, call is JsonMethodCall<TResult> json ? new JsonCallArguments(json.Arguments) : new ObjectCallArguments(call.GetArguments()));
        }
        catch (Exception thrown)
        {
            throw new PlatformCallException(thrown);
        }
    }

    private TResult Convert<TResult>(object? value, ActorMethodInvoker method)
    {
        try
        {
            return MethodResultConverter.Convert<TResult>(value, method, methods.Json);
        }
        catch (BadInputException thrown)
        {
            throw new PlatformCallException(thrown);
        }
    }
}

/// <summary>Carries an error of the platform out of a turn, so that it is not mistaken for an exception of user code.</summary>
internal sealed class PlatformCallException(Exception cause) : Exception(cause.Message, cause)
{
    public Exception Cause => InnerException!;
}
