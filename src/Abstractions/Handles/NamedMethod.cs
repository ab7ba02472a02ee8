using Serve.Calls;

namespace Serve;

/// <summary>One method of a deployment, found by its name when it is called.</summary>
public readonly struct NamedMethod
{
    private readonly ICallTarget target;
    private readonly string deployment;
    private readonly string method;
    private readonly CallOptions? options;

    internal NamedMethod(ICallTarget target, string deployment, string method, CallOptions? options)
    {
        this.target = target;
        this.deployment = deployment;
        this.method = method;
        this.options = options;
    }

    /// <summary>Starts a call.</summary>
    /// <typeparam name="TResult">What the result is read as.</typeparam>
    /// <param name="arguments">The arguments in order, without cancellation tokens; a <see cref="DeploymentResponse{T}"/> among them is awaited first.</param>
    /// <returns>The running call.</returns>
    public DeploymentResponse<TResult> Remote<TResult>(params object?[]? arguments)
    {
        var (name, values) = (method, arguments ?? [null]);
        return PendingArguments.Any(values)
            ? DeploymentResponse<TResult>.StartWhenReady(target, options, async stop => new NamedCall<TResult>(name, await PendingArguments.ResolveAsync(values, stop)))
            : DeploymentResponse<TResult>.Start(target, options, new NamedCall<TResult>(name, values));
    }

    /// <summary>Calls a method that returns a stream.</summary>
    /// <typeparam name="TItem">What each item is read as.</typeparam>
    /// <param name="arguments">The arguments in order, without cancellation tokens; a <see cref="DeploymentResponse{T}"/> among them is awaited first.</param>
    /// <returns>The items; the call starts when the first is asked for, and leaving the loop early cancels it.</returns>
    public IAsyncEnumerable<TItem> Stream<TItem>(params object?[]? arguments)
    {
        var (name, values) = (method, arguments ?? [null]);
        return PendingArguments.Any(values)
            ? CallStream.StartWhenReady<TItem>(target, options, async stop => new NamedCall<IAsyncEnumerable<TItem>>(name, await PendingArguments.ResolveAsync(values, stop)))
            : CallStream.Start(target, options, new NamedCall<IAsyncEnumerable<TItem>>(name, values));
    }

    /// <inheritdoc cref="DeploymentHandle.Options"/>
    public NamedMethod Options(TimeSpan? timeout = null, string? multiplexedModelId = null, string? requestId = null) =>
        new(target, deployment, method, CallOptions.Merge(options, timeout, multiplexedModelId, requestId));

    /// <inheritdoc/>
    public override string ToString() => $"{deployment}.{method}";
}
