namespace Serve;

/// <summary>A streaming method of a deployment with no arguments. Made by the source generator.</summary>
/// <typeparam name="TDeployment">The deployment's class.</typeparam>
/// <typeparam name="TItem">The items' type.</typeparam>
public readonly struct RemoteStream<TDeployment, TItem>
    where TDeployment : class
{
    private readonly DeploymentHandle<TDeployment> _handle;
    private readonly string _method;
    private readonly Func<TDeployment, CancellationToken, ValueTask<IAsyncEnumerable<TItem>>> _invoke;

    /// <summary>Describes the method.</summary>
    /// <param name="handle">The deployment.</param>
    /// <param name="method">The method's name.</param>
    /// <param name="invoke">Calls it on an instance.</param>
    public RemoteStream(DeploymentHandle<TDeployment> handle, string method, Func<TDeployment, CancellationToken, ValueTask<IAsyncEnumerable<TItem>>> invoke)
    {
        this._handle = handle;
        this._method = method;
        this._invoke = invoke;
    }

    /// <summary>Calls the method.</summary>
    /// <returns>The items; the call starts when the first is asked for, and leaving the loop early cancels it.</returns>
    public IAsyncEnumerable<TItem> Stream() => DeploymentStreamStarter.Start(_handle.CallTarget, _handle.CallOptions, new RemoteMethodCall<TDeployment, IAsyncEnumerable<TItem>>(_method, _invoke));

    /// <inheritdoc cref="DeploymentHandle.Options"/>
    public RemoteStream<TDeployment, TItem> Options(TimeSpan? timeout = null, string? multiplexedModelId = null, string? requestId = null) =>
        new(_handle.Options(timeout, multiplexedModelId, requestId), _method, _invoke);
}
