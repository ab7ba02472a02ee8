using System.Runtime.CompilerServices;

namespace Serve;

/// <summary>A streaming method of a deployment with two arguments. Made by the source generator.</summary>
/// <typeparam name="TDeployment">The deployment's class.</typeparam>
/// <typeparam name="T1">The first parameter's type.</typeparam>
/// <typeparam name="T2">The second parameter's type.</typeparam>
/// <typeparam name="TItem">The items' type.</typeparam>
public readonly struct RemoteStream<TDeployment, T1, T2, TItem>
    where TDeployment : class
{
    private readonly DeploymentHandle<TDeployment> _handle;
    private readonly string _method;
    private readonly Func<TDeployment, T1, T2, CancellationToken, ValueTask<IAsyncEnumerable<TItem>>>? _invoke;

    /// <summary>Describes the method.</summary>
    /// <param name="handle">The deployment.</param>
    /// <param name="method">The method's name.</param>
    /// <param name="invoke">Calls it on an instance; null for one with <see cref="BatchAttribute"/>, whose calls the replica gathers.</param>
    public RemoteStream(DeploymentHandle<TDeployment> handle, string method, Func<TDeployment, T1, T2, CancellationToken, ValueTask<IAsyncEnumerable<TItem>>>? invoke)
    {
        this._handle = handle;
        this._method = method;
        this._invoke = invoke;
    }

    /// <summary>Calls the method.</summary>
    /// <param name="first">The first argument.</param>
    /// <param name="second">The second argument.</param>
    /// <returns>The items; the call starts when the first is asked for, and leaving the loop early cancels it.</returns>
    [OverloadResolutionPriority(1)]
    public IAsyncEnumerable<TItem> Stream(T1 first, T2 second) =>
        PendingArgumentResolver.IsPendingObject(first) || PendingArgumentResolver.IsPendingObject(second)
            ? Stream(Arg<T1>.Of(first), Arg<T2>.Of(second))
            : DeploymentStreamStarter.Start(_handle.CallTarget, _handle.CallOptions, new RemoteMethodCall<TDeployment, T1, T2, IAsyncEnumerable<TItem>>(_method, _invoke, first, second));

    /// <summary>Calls the method as soon as the calls among its arguments have their results; if one of them fails, this fails with the same exception.</summary>
    /// <param name="first">The first argument: a value, or a call that is not awaited.</param>
    /// <param name="second">The second argument: a value, or a call that is not awaited.</param>
    /// <returns>The items; the call starts when the first is asked for, and leaving the loop early cancels it.</returns>
    public IAsyncEnumerable<TItem> Stream(Arg<T1> first, Arg<T2> second)
    {
        var (name, body) = (_method, _invoke);
        return DeploymentStreamStarter.StartWhenReady<TItem>(_handle.CallTarget, _handle.CallOptions, async stop => new RemoteMethodCall<TDeployment, T1, T2, IAsyncEnumerable<TItem>>(
            name, body, await first.ResolveAsync(stop).ConfigureAwait(false),
            await second.ResolveAsync(stop).ConfigureAwait(false)));
    }

    /// <inheritdoc cref="DeploymentHandle.Options"/>
    public RemoteStream<TDeployment, T1, T2, TItem> Options(TimeSpan? timeout = null, string? multiplexedModelId = null, string? requestId = null) =>
        new(_handle.Options(timeout, multiplexedModelId, requestId), _method, _invoke);
}
