using System.Reflection;
using System.Text.Json;

namespace Serve.Replica.Loading;

/// <summary>Lease of one replica on a loaded package. Disposing the last lease unloads the package; disposal is idempotent.</summary>
public sealed class UserAssemblyLease : IDisposable
{
    private Action? _release;

    internal UserAssemblyLease(Assembly assembly, JsonSerializerOptions json, Action release) =>
        (Assembly, Json, _release) = (assembly, json, release);

    /// <summary>Main assembly of the package.</summary>
    public Assembly Assembly { get; }

    /// <summary>JSON options for types of the package: <see cref="ServeJson.Calls"/>, with a type cache that is unloaded with the package.</summary>
    public JsonSerializerOptions Json { get; }

    /// <inheritdoc/>
    public void Dispose() => Interlocked.Exchange(ref _release, null)?.Invoke();
}
