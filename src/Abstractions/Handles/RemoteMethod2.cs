using System.Runtime.CompilerServices;

namespace Serve;

/// <summary>A method of a deployment with two arguments. Made by the source generator.</summary>
/// <typeparam name="TDeployment">The deployment's class.</typeparam>
/// <typeparam name="T1">The first parameter's type.</typeparam>
/// <typeparam name="T2">The second parameter's type.</typeparam>
/// <typeparam name="TResult">The result's type.</typeparam>
public readonly struct RemoteMethod<TDeployment, T1, T2, TResult>
    where TDeployment : class
{
    private readonly DeploymentHandle<TDeployment> _handle;
    private readonly string _method;
    private readonly Func<TDeployment, T1, T2, CancellationToken, ValueTask<TResult>>? _invoke;

    /// <summary>Describes the method.</summary>
    /// <param name="handle">The deployment.</param>
    /// <param name="method">The method's name.</param>
    /// <param name="invoke">Calls it on an instance; null for one with <see cref="BatchAttribute"/>, whose calls the replica gathers.</param>
    public RemoteMethod(DeploymentHandle<TDeployment> handle, string method, Func<TDeployment, T1, T2, CancellationToken, ValueTask<TResult>>? invoke)
    {
        this._handle = handle;
        this._method = method;
        this._invoke = invoke;
    }

    /// <summary>Starts a call.</summary>
    /// <param name="first">The first argument.</param>
    /// <param name="second">The second argument.</param>
    /// <returns>The running call.</returns>
    [OverloadResolutionPriority(1)]
    public DeploymentResponse<TResult> Remote(T1 first, T2 second) =>
        PendingArgumentResolver.IsPendingObject(first) || PendingArgumentResolver.IsPendingObject(second)
            ? Remote(Arg<T1>.Of(first), Arg<T2>.Of(second))
            : DeploymentResponse<TResult>.Start(_handle.CallTarget, _handle.CallOptions, new RemoteMethodCall<TDeployment, T1, T2, TResult>(_method, _invoke, first, second));

    /// <summary>Starts a call as soon as the calls among its arguments have their results; if one of them fails, this fails with the same exception.</summary>
    /// <param name="first">The first argument: a value, or a call that is not awaited.</param>
    /// <param name="second">The second argument: a value, or a call that is not awaited.</param>
    /// <returns>The running call.</returns>
    public DeploymentResponse<TResult> Remote(Arg<T1> first, Arg<T2> second)
    {
        var (name, body) = (_method, _invoke);
        return DeploymentResponse<TResult>.StartWhenReady(_handle.CallTarget, _handle.CallOptions, async stop => new RemoteMethodCall<TDeployment, T1, T2, TResult>(
            name, body, await first.ResolveAsync(stop).ConfigureAwait(false),
            await second.ResolveAsync(stop).ConfigureAwait(false)));
    }

    /// <inheritdoc cref="DeploymentHandle.Options"/>
    public RemoteMethod<TDeployment, T1, T2, TResult> Options(TimeSpan? timeout = null, string? multiplexedModelId = null, string? requestId = null) =>
        new(_handle.Options(timeout, multiplexedModelId, requestId), _method, _invoke);
}
