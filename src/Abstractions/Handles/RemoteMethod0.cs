namespace Serve;

/// <summary>A method of a deployment with no arguments. Made by the source generator.</summary>
/// <typeparam name="TDeployment">The deployment's class.</typeparam>
/// <typeparam name="TResult">The result's type.</typeparam>
public readonly struct RemoteMethod<TDeployment, TResult>
    where TDeployment : class
{
    private readonly DeploymentHandle<TDeployment> handle;
    private readonly string method;
    private readonly Func<TDeployment, CancellationToken, ValueTask<TResult>> invoke;

    /// <summary>Describes the method.</summary>
    /// <param name="handle">The deployment.</param>
    /// <param name="method">The method's name.</param>
    /// <param name="invoke">Calls it on an instance.</param>
    public RemoteMethod(DeploymentHandle<TDeployment> handle, string method, Func<TDeployment, CancellationToken, ValueTask<TResult>> invoke)
    {
        this.handle = handle;
        this.method = method;
        this.invoke = invoke;
    }

    /// <summary>Starts a call.</summary>
    /// <returns>The running call.</returns>
    public DeploymentResponse<TResult> Remote() => DeploymentResponse<TResult>.Start(handle.CallTarget, handle.CallOptions, new RemoteCall<TDeployment, TResult>(method, invoke));

    /// <inheritdoc cref="DeploymentHandle.Options"/>
    public RemoteMethod<TDeployment, TResult> Options(TimeSpan? timeout = null, string? multiplexedModelId = null, string? requestId = null) =>
        new(handle.Options(timeout, multiplexedModelId, requestId), method, invoke);
}
