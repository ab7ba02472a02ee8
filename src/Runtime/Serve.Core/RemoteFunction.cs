using System.ComponentModel;

namespace Serve;

/// <summary>A static method that can run as a task. The source generator creates one per method; a worker finds it by type and name.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public class RemoteFunction
{
    /// <summary>Describes a function.</summary>
    /// <param name="type">The declaring class.</param>
    /// <param name="method">The method's name.</param>
    /// <param name="isAsync">Whether it returns a task or a stream.</param>
    /// <param name="defaults">Its attribute.</param>
    /// <param name="takesToken">Whether one of its parameters is a cancellation token.</param>
    public RemoteFunction(Type type, string method, bool isAsync, RemoteAttribute defaults, bool takesToken = true)
        : this(type, method, isAsync, defaults, takesToken, $"{type?.Name}.{method}")
    {
    }

    private protected RemoteFunction(Type? type, string method, bool isAsync, RemoteAttribute defaults, bool takesToken, string name)
    {
        ArgumentNullException.ThrowIfNull(type);
        ArgumentNullException.ThrowIfNull(defaults);
        Type = type;
        Method = method;
        IsAsync = isAsync;
        Defaults = defaults;
        TakesToken = takesToken;
        Name = name;
    }

    /// <summary>Gets the declaring class.</summary>
    public Type Type { get; }

    /// <summary>Gets the method's name.</summary>
    public string Method { get; }

    /// <summary>Gets the display name, for instance <c>Demo.Aggregate</c>.</summary>
    public string Name { get; }

    /// <summary>Gets whether the function returns a task or a stream.</summary>
    public bool IsAsync { get; }

    /// <summary>Gets the function's attribute.</summary>
    public RemoteAttribute Defaults { get; }

    /// <summary>Gets whether one of the parameters is a cancellation token.</summary>
    public bool TakesToken { get; }

    /// <summary>Gets or sets data that the runtime caches per function.</summary>
    public object? RuntimeState { get; set; }

    /// <inheritdoc/>
    public override string ToString() => Name;
}

/// <summary>
/// A function with <see cref="RemoteAttribute"/> and one parameter, as <c>ray.Map(ray.Demo.Square, items)</c> takes it. Implemented by the generated
/// struct that calls the function; a worker uses the default value of that struct.
/// </summary>
/// <typeparam name="T">The parameter's type.</typeparam>
/// <typeparam name="TResult">The result type.</typeparam>
[EditorBrowsable(EditorBrowsableState.Never)]
public interface IRemoteFunction<in T, TResult>
{
    /// <summary>Gets the function.</summary>
    RemoteFunction Function { get; }

    /// <summary>Gets the options; null if <c>.Options(…)</c> was not called.</summary>
    TaskOptions? TaskOptions { get; }

    /// <summary>Runs the function in place, without a cluster.</summary>
    /// <param name="item">Its argument.</param>
    /// <param name="cancellationToken">Passed to the function if it takes a token.</param>
    /// <returns>Its result.</returns>
    ValueTask<TResult> Invoke(T item, CancellationToken cancellationToken);
}
