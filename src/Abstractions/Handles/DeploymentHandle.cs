using Serve.Calls;

namespace Serve;

/// <summary>Calls a deployment by method name. Immutable, thread-safe and reusable: the deployment may be deployed later, moved or replaced.</summary>
public sealed class DeploymentHandle
{
    private const string DefaultMethod = "Call";

    private readonly ICallTarget _target;
    private readonly HandleCallOptions? _options;

    /// <summary>Creates a handle to a call target.</summary>
    /// <param name="target">The call target.</param>
    /// <param name="name">The deployment's display name.</param>
    public DeploymentHandle(ICallTarget target, string name)
        : this(target, name, null)
    {
    }

    internal DeploymentHandle(ICallTarget target, string name, HandleCallOptions? options)
    {
        ArgumentNullException.ThrowIfNull(target);
        ArgumentException.ThrowIfNullOrEmpty(name);
        _target = target;
        _options = options;
        Name = name;
    }

    /// <summary>Gets the deployment's name.</summary>
    public string Name { get; }

    /// <summary>Starts a call of the deployment's <c>Call</c> method.</summary>
    /// <typeparam name="TResult">The result type.</typeparam>
    /// <param name="arguments">The arguments in order; each <see cref="DeploymentResponse{T}"/> among them is awaited first.</param>
    /// <returns>The running call.</returns>
    public DeploymentResponse<TResult> Remote<TResult>(params object?[]? arguments) => Method(DefaultMethod).Remote<TResult>(arguments);

    /// <summary>Calls the deployment's <c>Call</c> method, which must return a stream.</summary>
    /// <typeparam name="TItem">The item type.</typeparam>
    /// <param name="arguments">The arguments in order; each <see cref="DeploymentResponse{T}"/> among them is awaited first.</param>
    /// <returns>The items. The call starts when the first item is requested.</returns>
    public IAsyncEnumerable<TItem> Stream<TItem>(params object?[]? arguments) => Method(DefaultMethod).Stream<TItem>(arguments);

    /// <inheritdoc cref="NamedMethod.Broadcast"/>
    public DeploymentResponse<IReadOnlyList<ReplicaResult<TResult>>> Broadcast<TResult>(params object?[]? arguments) => Method(DefaultMethod).Broadcast<TResult>(arguments);

    /// <summary>Returns a method of the deployment.</summary>
    /// <param name="name">The method's declared name.</param>
    /// <returns>The method, which <c>Remote</c> or <c>Stream</c> calls.</returns>
    public NamedMethod Method(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        return new NamedMethod(_target, Name, name, _options);
    }

    /// <summary>Returns a handle with other call options; omitted options keep their values.</summary>
    /// <param name="timeout">Maximum duration of a call, after which it is canceled and fails with <see cref="RequestTimeoutException"/>. Default: no limit.</param>
    /// <param name="multiplexedModelId">The multiplexed model that the calls request. Default: none.</param>
    /// <param name="requestId">The request id in logs. Default: the id of the request being served; otherwise the callee generates one.</param>
    /// <param name="routingKey">
    /// The key by which the deployment's routing policy selects the replica; only the first 2048 characters are sent by a client outside of the platform. Default: none.
    /// </param>
    /// <param name="priority">The priority of the calls, -10 to 10; higher ones leave queues first. Default: the priority of the request being served; otherwise 0.</param>
    /// <returns>A new handle.</returns>
    public DeploymentHandle Options(
        TimeSpan? timeout = null, string? multiplexedModelId = null, string? requestId = null, string? routingKey = null, int? priority = null) =>
        new(_target, Name, HandleCallOptions.Merge(_options, timeout, multiplexedModelId, requestId, routingKey, priority));

    /// <inheritdoc/>
    public override string ToString() => Name;
}
