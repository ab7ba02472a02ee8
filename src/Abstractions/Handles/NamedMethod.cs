using Serve.Calls;

namespace Serve;

/// <summary>A method of a deployment, which the callee finds by name.</summary>
public readonly struct NamedMethod
{
    private readonly ICallTarget _target;
    private readonly string _deployment;
    private readonly string _method;
    private readonly HandleCallOptions? _options;

    internal NamedMethod(ICallTarget target, string deployment, string method, HandleCallOptions? options)
    {
        _target = target;
        _deployment = deployment;
        _method = method;
        _options = options;
    }

    /// <summary>Starts a call.</summary>
    /// <typeparam name="TResult">The result type.</typeparam>
    /// <param name="arguments">The arguments in order, without cancellation tokens; each <see cref="DeploymentResponse{T}"/> among them is awaited first.</param>
    /// <returns>The running call.</returns>
    public DeploymentResponse<TResult> Remote<TResult>(params object?[]? arguments)
    {
        var (name, values) = (_method, arguments ?? [null]);
        return PendingArgumentResolver.ContainsPending(values)
            ? DeploymentResponse<TResult>.StartWhenReady(_target, _options, async stop => new NamedMethodCall<TResult>(name, await PendingArgumentResolver.ResolveAsync(values, stop)))
            : DeploymentResponse<TResult>.Start(_target, _options, new NamedMethodCall<TResult>(name, values));
    }

    /// <summary>Calls a method that returns a stream.</summary>
    /// <typeparam name="TItem">The item type.</typeparam>
    /// <param name="arguments">The arguments in order, without cancellation tokens; each <see cref="DeploymentResponse{T}"/> among them is awaited first.</param>
    /// <returns>The items. The call starts when the first item is requested; leaving the loop early cancels it.</returns>
    public IAsyncEnumerable<TItem> Stream<TItem>(params object?[]? arguments)
    {
        var (name, values) = (_method, arguments ?? [null]);
        return PendingArgumentResolver.ContainsPending(values)
            ? DeploymentStreamStarter.StartWhenReady<TItem>(_target, _options, async stop => new NamedMethodCall<IAsyncEnumerable<TItem>>(name, await PendingArgumentResolver.ResolveAsync(values, stop)))
            : DeploymentStreamStarter.Start(_target, _options, new NamedMethodCall<IAsyncEnumerable<TItem>>(name, values));
    }

    /// <summary>
    /// Starts a call of every replica that receives requests now, whatever its load. A replica's error, and its timeout, is part of its result.
    /// </summary>
    /// <typeparam name="TResult">The result type.</typeparam>
    /// <param name="arguments">The arguments in order, without cancellation tokens; each <see cref="DeploymentResponse{T}"/> among them is awaited first.</param>
    /// <returns>One result per replica, in the order of the ranks; empty if the deployment has no replicas, which are not started.</returns>
    public DeploymentResponse<IReadOnlyList<ReplicaResult<TResult>>> Broadcast<TResult>(params object?[]? arguments)
    {
        var (name, values) = (_method, arguments ?? [null]);
        return BroadcastStarter.Start<TResult>(_target, _options, async stop => new NamedMethodCall<TResult>(
            name, PendingArgumentResolver.ContainsPending(values) ? await PendingArgumentResolver.ResolveAsync(values, stop).ConfigureAwait(false) : values));
    }

    /// <inheritdoc cref="DeploymentHandle.Options"/>
    public NamedMethod Options(
        TimeSpan? timeout = null, string? multiplexedModelId = null, string? requestId = null, string? routingKey = null, int? priority = null) =>
        new(_target, _deployment, _method, HandleCallOptions.Merge(_options, timeout, multiplexedModelId, requestId, routingKey, priority));

    /// <inheritdoc/>
    public override string ToString() => $"{_deployment}.{_method}";
}
