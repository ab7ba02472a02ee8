using System.Collections.Immutable;

namespace Serve.Inference.Models;

/// <summary>The versions that a replica has loaded. Immutable; replaced whole when settings change.</summary>
/// <param name="all">At least one, the lowest first.</param>
internal sealed class LoadedModelVersions(ImmutableArray<LoadedModelVersion> all) : IDisposable
{
    public ImmutableArray<LoadedModelVersion> All => all;

    /// <summary>Their names, as the protocol has them.</summary>
    public ImmutableArray<string> Names { get; } = [.. all.Select(each => each.Name)];

    /// <summary>Finds a version.</summary>
    /// <param name="name">Its number; null or empty for the highest.</param>
    /// <exception cref="NoSuchRouteException">There is none of that number.</exception>
    public LoadedModelVersion Find(string? name)
    {
        if (string.IsNullOrEmpty(name))
            return all[^1];
        foreach (var each in all)
        {
            if (each.Name == name)
                return each;
        }

        throw new NoSuchRouteException($"The model has no version '{name}'; it has {string.Join(", ", Names)}.");
    }

    public void Dispose()
    {
        foreach (var each in all)
            each.Dispose();
    }
}
