namespace Serve.Calls;

/// <summary>
/// Whatever can be called: a replica in this process, one in another, a whole deployment behind a router, a deployment reached over HTTP.
/// Failures are <see cref="ServeException"/>s; what user code threw is a <see cref="UserCodeException"/>.
/// </summary>
public interface ICallTarget
{
    /// <summary>Calls a method once.</summary>
    /// <typeparam name="TResult">What the caller wants back.</typeparam>
    /// <param name="call">The method and its arguments.</param>
    /// <param name="context">What travels beside them.</param>
    /// <param name="cancellationToken">Cancels the call, also while it runs elsewhere.</param>
    /// <returns>The method's result.</returns>
    /// <exception cref="CallRefusedException">A single replica is at its limit or stopping; the call did not start.</exception>
    ValueTask<TResult> InvokeAsync<TResult>(MethodCall<TResult> call, CallContext context, CancellationToken cancellationToken);

    /// <summary>Calls a method that returns a stream. Nothing happens before the first item is asked for; leaving the loop early cancels the call.</summary>
    /// <typeparam name="TItem">The items' type.</typeparam>
    /// <param name="call">The method and its arguments.</param>
    /// <param name="context">What travels beside them.</param>
    /// <param name="cancellationToken">Cancels the call, also while it runs elsewhere.</param>
    /// <returns>The items as they are produced.</returns>
    IAsyncEnumerable<TItem> StreamAsync<TItem>(MethodCall<IAsyncEnumerable<TItem>> call, CallContext context, CancellationToken cancellationToken);
}
