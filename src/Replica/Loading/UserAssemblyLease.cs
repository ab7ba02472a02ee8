using System.Reflection;
using System.Text.Json;

namespace Serve.Replica.Loading;

/// <summary>One replica's hold on its package's loaded code. Disposing it gives the hold up, once; the last one out unloads.</summary>
public sealed class UserAssemblyLease : IDisposable
{
    private Action? _release;

    internal UserAssemblyLease(Assembly assembly, JsonSerializerOptions json, Action release) =>
        (Assembly, Json, this._release) = (assembly, json, release);

    /// <summary>The package's main assembly.</summary>
    public Assembly Assembly { get; }

    /// <summary>How values of the package's types are read and written: <see cref="ServeJson.Calls"/>, with a cache that goes with the package.</summary>
    public JsonSerializerOptions Json { get; }

    /// <inheritdoc/>
    public void Dispose() => Interlocked.Exchange(ref _release, null)?.Invoke();
}
