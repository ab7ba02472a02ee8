using System.Runtime.CompilerServices;

namespace Serve;

/// <summary>A streaming method of a deployment with one argument. Made by the source generator.</summary>
/// <typeparam name="TDeployment">The deployment's class.</typeparam>
/// <typeparam name="T1">The parameter's type.</typeparam>
/// <typeparam name="TItem">The items' type.</typeparam>
public readonly struct RemoteStream<TDeployment, T1, TItem>
    where TDeployment : class
{
    private readonly DeploymentHandle<TDeployment> _handle;
    private readonly string _method;
    private readonly Func<TDeployment, T1, CancellationToken, ValueTask<IAsyncEnumerable<TItem>>>? _invoke;

    /// <summary>Describes the method.</summary>
    /// <param name="handle">The deployment.</param>
    /// <param name="method">The method's name.</param>
    /// <param name="invoke">Calls it on an instance; null for one with <see cref="BatchAttribute"/>, whose calls the replica gathers.</param>
    public RemoteStream(DeploymentHandle<TDeployment> handle, string method, Func<TDeployment, T1, CancellationToken, ValueTask<IAsyncEnumerable<TItem>>>? invoke)
    {
        this._handle = handle;
        this._method = method;
        this._invoke = invoke;
    }

    /// <summary>Calls the method.</summary>
    /// <param name="first">The argument.</param>
    /// <returns>The items; the call starts when the first is asked for, and leaving the loop early cancels it.</returns>
    [OverloadResolutionPriority(1)]
    public IAsyncEnumerable<TItem> Stream(T1 first) =>
        PendingArgumentResolver.IsPendingObject(first)
            ? WhenReady(Arg<T1>.Of(first))
            : DeploymentStreamStarter.Start(_handle.CallTarget, _handle.CallOptions, new RemoteMethodCall<TDeployment, T1, IAsyncEnumerable<TItem>>(_method, _invoke, first));

    /// <summary>Calls the method as soon as another call, which provides the argument, has its result; if that fails, this fails with the same exception.</summary>
    /// <typeparam name="TArgument">The argument's type.</typeparam>
    /// <param name="first">The other call, not awaited.</param>
    /// <returns>The items; the call starts when the first is asked for, and leaving the loop early cancels it.</returns>
    public IAsyncEnumerable<TItem> Stream<TArgument>(DeploymentResponse<TArgument> first)
        where TArgument : T1 => WhenReady(Arg<T1>.After(first));

    /// <inheritdoc cref="DeploymentHandle.Options"/>
    public RemoteStream<TDeployment, T1, TItem> Options(TimeSpan? timeout = null, string? multiplexedModelId = null, string? requestId = null) =>
        new(_handle.Options(timeout, multiplexedModelId, requestId), _method, _invoke);

    private IAsyncEnumerable<TItem> WhenReady(Arg<T1> first)
    {
        var (name, body) = (_method, _invoke);
        return DeploymentStreamStarter.StartWhenReady<TItem>(_handle.CallTarget, _handle.CallOptions, async stop => new RemoteMethodCall<TDeployment, T1, IAsyncEnumerable<TItem>>(
            name, body, await first.ResolveAsync(stop).ConfigureAwait(false)));
    }
}
