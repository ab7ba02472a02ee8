using System.Runtime.CompilerServices;

namespace Serve;

/// <summary>A method of a deployment with one argument. Made by the source generator.</summary>
/// <typeparam name="TDeployment">The deployment's class.</typeparam>
/// <typeparam name="T1">The parameter's type.</typeparam>
/// <typeparam name="TResult">The result's type.</typeparam>
public readonly struct RemoteMethod<TDeployment, T1, TResult>
    where TDeployment : class
{
    private readonly DeploymentHandle<TDeployment> _handle;
    private readonly string _method;
    private readonly Func<TDeployment, T1, CancellationToken, ValueTask<TResult>>? _invoke;

    /// <summary>Describes the method.</summary>
    /// <param name="handle">The deployment.</param>
    /// <param name="method">The method's name.</param>
    /// <param name="invoke">Calls it on an instance; null for one with <see cref="BatchAttribute"/>, whose calls the replica gathers.</param>
    public RemoteMethod(DeploymentHandle<TDeployment> handle, string method, Func<TDeployment, T1, CancellationToken, ValueTask<TResult>>? invoke)
    {
        this._handle = handle;
        this._method = method;
        this._invoke = invoke;
    }

    /// <summary>Starts a call.</summary>
    /// <param name="first">The argument.</param>
    /// <returns>The running call.</returns>
    [OverloadResolutionPriority(1)]
    public DeploymentResponse<TResult> Remote(T1 first) =>
        PendingArgumentResolver.IsPendingObject(first)
            ? WhenReady(Arg<T1>.Of(first))
            : DeploymentResponse<TResult>.Start(_handle.CallTarget, _handle.CallOptions, new RemoteMethodCall<TDeployment, T1, TResult>(_method, _invoke, first));

    /// <summary>Starts a call as soon as another call, which provides the argument, has its result; if that fails, this fails with the same exception.</summary>
    /// <typeparam name="TArgument">The argument's type.</typeparam>
    /// <param name="first">The other call, not awaited.</param>
    /// <returns>The running call.</returns>
    public DeploymentResponse<TResult> Remote<TArgument>(DeploymentResponse<TArgument> first)
        where TArgument : T1 => WhenReady(Arg<T1>.After(first));

    /// <inheritdoc cref="DeploymentHandle.Options"/>
    public RemoteMethod<TDeployment, T1, TResult> Options(TimeSpan? timeout = null, string? multiplexedModelId = null, string? requestId = null) =>
        new(_handle.Options(timeout, multiplexedModelId, requestId), _method, _invoke);

    private DeploymentResponse<TResult> WhenReady(Arg<T1> first)
    {
        var (name, body) = (_method, _invoke);
        return DeploymentResponse<TResult>.StartWhenReady(_handle.CallTarget, _handle.CallOptions, async stop => new RemoteMethodCall<TDeployment, T1, TResult>(
            name, body, await first.ResolveAsync(stop).ConfigureAwait(false)));
    }
}
