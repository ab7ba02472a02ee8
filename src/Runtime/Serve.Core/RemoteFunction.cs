using System.ComponentModel;

namespace Serve;

/// <summary>A static method that can run as a task. Made once for each by the source generator; it is found again in a worker by its type and name.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public class RemoteFunction
{
    /// <summary>Describes a function.</summary>
    /// <param name="type">The class that declares it.</param>
    /// <param name="method">Its name.</param>
    /// <param name="isAsync">Whether it returns a task or a stream.</param>
    /// <param name="defaults">What its attribute says.</param>
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

    /// <summary>The class that declares it.</summary>
    public Type Type { get; }

    /// <summary>Its name in the class.</summary>
    public string Method { get; }

    /// <summary>Its name for people, <c>Demo.Aggregate</c>.</summary>
    public string Name { get; }

    /// <summary>Whether it returns a task or a stream.</summary>
    public bool IsAsync { get; }

    /// <summary>What its attribute says.</summary>
    public RemoteAttribute Defaults { get; }

    /// <summary>Whether one of its parameters is a cancellation token.</summary>
    public bool TakesToken { get; }

    /// <summary>What the runtime has worked out about it, once.</summary>
    internal object? RuntimeState { get; set; }

    /// <inheritdoc/>
    public override string ToString() => Name;
}
