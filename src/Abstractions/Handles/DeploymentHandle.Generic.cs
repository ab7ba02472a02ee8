using Serve.Calls;

namespace Serve;

/// <summary>
/// Calls a deployment through its class: <c>handle.Square.Remote(3)</c>. The members named after the class's methods are written by the
/// source generator. Immutable and thread-safe; as a constructor parameter of a deployment it also says that one depends on the other.
/// </summary>
/// <typeparam name="TDeployment">The deployment's class.</typeparam>
public sealed class DeploymentHandle<TDeployment>
    where TDeployment : class
{
    private readonly DeploymentHandle _untyped;

    /// <summary>Creates a handle to whatever <paramref name="target"/> reaches.</summary>
    /// <param name="target">Where calls go.</param>
    /// <param name="name">The deployment's name, for people.</param>
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

    /// <summary>The same deployment, called by names of methods.</summary>
    /// <param name="handle">The typed handle.</param>
    public static implicit operator DeploymentHandle(DeploymentHandle<TDeployment> handle)
    {
        ArgumentNullException.ThrowIfNull(handle);
        return handle.ToDeploymentHandle();
    }

    /// <summary>The same deployment, called by names of methods: for methods the generator cannot offer, overloaded ones for example.</summary>
    /// <returns>A handle under the same options.</returns>
    public DeploymentHandle ToDeploymentHandle() => _untyped;

    /// <inheritdoc cref="DeploymentHandle.Options"/>
    public DeploymentHandle<TDeployment> Options(TimeSpan? timeout = null, string? multiplexedModelId = null, string? requestId = null) =>
        new(CallTarget, _untyped.Name, HandleCallOptions.Merge(CallOptions, timeout, multiplexedModelId, requestId));

    /// <inheritdoc/>
    public override string ToString() => _untyped.ToString();
}
