using Serve.Calls;

namespace Serve;

/// <summary>
/// Calls a deployment through its class: <c>handle.Square.Remote(3)</c>. The source generator adds a member for each method of the class.
/// Immutable and thread-safe. As a constructor parameter of a deployment it also declares that one deployment depends on the other.
/// </summary>
/// <typeparam name="TDeployment">The deployment's class.</typeparam>
public sealed class DeploymentHandle<TDeployment>
    where TDeployment : class
{
    private readonly DeploymentHandle _untyped;

    /// <summary>Creates a handle to a call target.</summary>
    /// <param name="target">The call target.</param>
    /// <param name="name">The deployment's display name.</param>
    public DeploymentHandle(ICallTarget target, string name)
        : this(target, name, null)
    {
    }

    internal DeploymentHandle(ICallTarget target, string name, HandleCallOptions? options)
    {
        _untyped = new DeploymentHandle(target, name, options);
        CallTarget = target;
        CallOptions = options;
    }

    internal ICallTarget CallTarget { get; }

    internal HandleCallOptions? CallOptions { get; }

    /// <summary>Converts to a handle that calls by method name.</summary>
    /// <param name="handle">The typed handle.</param>
    public static implicit operator DeploymentHandle(DeploymentHandle<TDeployment> handle)
    {
        ArgumentNullException.ThrowIfNull(handle);
        return handle.ToDeploymentHandle();
    }

    /// <summary>Returns a handle that calls by method name, for methods that the generator does not support, for instance overloaded ones.</summary>
    /// <returns>A handle with the same options.</returns>
    public DeploymentHandle ToDeploymentHandle() => _untyped;

    /// <inheritdoc cref="DeploymentHandle.Options"/>
    public DeploymentHandle<TDeployment> Options(
        TimeSpan? timeout = null, string? multiplexedModelId = null, string? requestId = null, string? routingKey = null, int? priority = null) =>
        new(CallTarget, _untyped.Name, HandleCallOptions.Merge(CallOptions, timeout, multiplexedModelId, requestId, routingKey, priority));

    /// <inheritdoc/>
    public override string ToString() => _untyped.ToString();
}
