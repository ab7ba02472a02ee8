using Serve.Calls;

namespace Serve;

/// <summary>One method of a deployment, found by its name when it is called.</summary>
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
    /// <typeparam name="TResult">What the result is read as.</typeparam>
    /// <param name="arguments">The arguments in order, without cancellation tokens; a <see cref="DeploymentResponse{T}"/> among them is awaited first.</param>
    /// <returns>The running call.</returns>
    public DeploymentResponse<TResult> Remote<TResult>(params object?[]? arguments)
    {
        var (name, values) = (_method, arguments ?? [null]);
        return PendingArgumentResolver.ContainsPending(values)
            ? DeploymentResponse<TResult>.StartWhenReady(_target, _options, async stop => new NamedMethodCall<TResult>(name, await PendingArgumentResolver.ResolveAsync(values, stop)))
            : DeploymentResponse<TResult>.Start(_target, _options, new NamedMethodCall<TResult>(name, values));
    }

    /// <summary>Calls a method that returns a stream.</summary>
    /// <typeparam name="TItem">What each item is read as.</typeparam>
    /// <param name="arguments">The arguments in order, without cancellation tokens; a <see cref="DeploymentResponse{T}"/> among them is awaited first.</param>
    /// <returns>The items; the call starts when the first is asked for, and leaving the loop early cancels it.</returns>
    public IAsyncEnumerable<TItem> Stream<TItem>(params object?[]? arguments)
    {
        var (name, values) = (_method, arguments ?? [null]);
        return PendingArgumentResolver.ContainsPending(values)
            ? DeploymentStreamStarter.StartWhenReady<TItem>(_target, _options, async stop => new NamedMethodCall<IAsyncEnumerable<TItem>>(name, await PendingArgumentResolver.ResolveAsync(values, stop)))
            : DeploymentStreamStarter.Start(_target, _options, new NamedMethodCall<IAsyncEnumerable<TItem>>(name, values));
    }

    /// <inheritdoc cref="DeploymentHandle.Options"/>
    public NamedMethod Options(TimeSpan? timeout = null, string? multiplexedModelId = null, string? requestId = null) =>
        new(_target, _deployment, _method, HandleCallOptions.Merge(_options, timeout, multiplexedModelId, requestId));

    /// <inheritdoc/>
    public override string ToString() => $"{_deployment}.{_method}";
}
