using Serve.Calls;

namespace Serve;

/// <summary>Calls a deployment by the names of its methods. Immutable and thread-safe; keep it as long as you like: the deployment may come later, move or be replaced.</summary>
public sealed class DeploymentHandle
{
    private const string DefaultMethod = "Call";

    private readonly ICallTarget _target;
    private readonly HandleCallOptions? _options;

    /// <summary>Creates a handle to whatever <paramref name="target"/> reaches.</summary>
    /// <param name="target">Where calls go.</param>
    /// <param name="name">The deployment's name, for people.</param>
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

    /// <summary>The deployment's name.</summary>
    public string Name { get; }

    /// <summary>Starts a call of the deployment's <c>Call</c> method.</summary>
    /// <typeparam name="TResult">What the result is read as.</typeparam>
    /// <param name="arguments">The arguments in order; a <see cref="DeploymentResponse{T}"/> among them is awaited first.</param>
    /// <returns>The running call.</returns>
    public DeploymentResponse<TResult> Remote<TResult>(params object?[]? arguments) => Method(DefaultMethod).Remote<TResult>(arguments);

    /// <summary>Calls the deployment's <c>Call</c> method when that returns a stream.</summary>
    /// <typeparam name="TItem">What each item is read as.</typeparam>
    /// <param name="arguments">The arguments in order; a <see cref="DeploymentResponse{T}"/> among them is awaited first.</param>
    /// <returns>The items; the call starts when the first is asked for.</returns>
    public IAsyncEnumerable<TItem> Stream<TItem>(params object?[]? arguments) => Method(DefaultMethod).Stream<TItem>(arguments);

    /// <summary>Names the method to call.</summary>
    /// <param name="name">The method's name as declared.</param>
    /// <returns>The method, to be called with <c>Remote</c> or <c>Stream</c>.</returns>
    public NamedMethod Method(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        return new NamedMethod(_target, Name, name, _options);
    }

    /// <summary>The same deployment, called differently. What is left out stays as it is.</summary>
    /// <param name="timeout">How long a call may take before it is cancelled and fails with <see cref="RequestTimeoutException"/>. Default: no limit.</param>
    /// <param name="multiplexedModelId">The model the calls ask for. Default: none.</param>
    /// <param name="requestId">The id in logs. Default: that of the request being served, else one made up by the callee.</param>
    /// <returns>A new handle.</returns>
    public DeploymentHandle Options(TimeSpan? timeout = null, string? multiplexedModelId = null, string? requestId = null) =>
        new(_target, Name, HandleCallOptions.Merge(_options, timeout, multiplexedModelId, requestId));

    /// <inheritdoc/>
    public override string ToString() => Name;
}
