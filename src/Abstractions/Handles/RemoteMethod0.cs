namespace Serve;

/// <summary>A method of a deployment with no arguments. Made by the source generator.</summary>
/// <typeparam name="TDeployment">The deployment's class.</typeparam>
/// <typeparam name="TResult">The result's type.</typeparam>
public readonly struct RemoteMethod<TDeployment, TResult>
    where TDeployment : class
{
    private readonly DeploymentHandle<TDeployment> _handle;
    private readonly string _method;
    private readonly Func<TDeployment, CancellationToken, ValueTask<TResult>> _invoke;

    /// <summary>Describes the method.</summary>
    /// <param name="handle">The deployment.</param>
    /// <param name="method">The method's name.</param>
    /// <param name="invoke">Calls it on an instance.</param>
    public RemoteMethod(DeploymentHandle<TDeployment> handle, string method, Func<TDeployment, CancellationToken, ValueTask<TResult>> invoke)
    {
        this._handle = handle;
        this._method = method;
        this._invoke = invoke;
    }

    /// <summary>Starts a call.</summary>
    /// <returns>The running call.</returns>
    public DeploymentResponse<TResult> Remote() => DeploymentResponse<TResult>.Start(_handle.CallTarget, _handle.CallOptions, new RemoteMethodCall<TDeployment, TResult>(_method, _invoke));

    /// <inheritdoc cref="DeploymentHandle.Options"/>
    public RemoteMethod<TDeployment, TResult> Options(TimeSpan? timeout = null, string? multiplexedModelId = null, string? requestId = null) =>
        new(_handle.Options(timeout, multiplexedModelId, requestId), _method, _invoke);
}
