using Serve.Routes;

namespace Serve.Routing;

/// <summary>Loads routing policies that are classes of applications.</summary>
public interface IPickerClassLoader
{
    /// <summary>Loads the class of a rule.</summary>
    /// <param name="rule">A rule with a class.</param>
    /// <exception cref="DefinitionException">The package or the class cannot be loaded.</exception>
    PickerClassLease Load(RoutingRule rule);
}

/// <summary>A loaded routing policy. Disposing it allows its assembly to be unloaded.</summary>
/// <param name="create">Creates a picker.</param>
/// <param name="release">Called by the first disposal.</param>
public sealed class PickerClassLease(Func<ReplicaPickerContext, ReplicaPicker> create, Action release) : IDisposable
{
    private Action? _release = release;

    /// <summary>Creates a picker.</summary>
    public Func<ReplicaPickerContext, ReplicaPicker> Create { get; } = create;

    /// <inheritdoc/>
    public void Dispose() => Interlocked.Exchange(ref _release, null)?.Invoke();
}
