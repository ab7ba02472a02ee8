using System.Reflection;

namespace Serve.Replica.Loading;

/// <summary>One replica's hold on its package's loaded code. Disposing it gives the hold up, once; the last one out unloads.</summary>
public sealed class UserAssembly : IDisposable
{
    private Action? release;

    internal UserAssembly(Assembly assembly, Action release) => (Assembly, this.release) = (assembly, release);

    /// <summary>The package's main assembly.</summary>
    public Assembly Assembly { get; }

    /// <inheritdoc/>
    public void Dispose() => Interlocked.Exchange(ref release, null)?.Invoke();
}
