using System.Collections.Immutable;

namespace Serve.Inference.Models;

/// <summary>The loaded versions of a model. Immutable; a change of settings replaces all of them.</summary>
/// <param name="all">The versions in ascending order; at least one.</param>
internal sealed class LoadedModelVersions(ImmutableArray<LoadedModelVersion> all) : IDisposable
{
    public ImmutableArray<LoadedModelVersion> All => all;

    /// <summary>Gets the names of the versions.</summary>
    public ImmutableArray<string> Names { get; } = [.. all.Select(each => each.Name)];

    /// <summary>Finds a version.</summary>
    /// <param name="name">The version's number; null or empty for the highest.</param>
    /// <exception cref="NoSuchRouteException">The version does not exist.</exception>
    public LoadedModelVersion Find(string? name)
    {
        if (string.IsNullOrEmpty(name))
            return all[^1];
        foreach (var each in all)
        {
            if (each.Name == name)
                return each;
        }

        throw new NoSuchRouteException($"The model has no version '{name}'. Available versions: {string.Join(", ", Names)}.");
    }

    public void Dispose()
    {
        foreach (var each in all)
            each.Dispose();
    }
}
