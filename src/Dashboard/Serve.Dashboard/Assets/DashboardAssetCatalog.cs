using System.Collections.Concurrent;
using System.Collections.Frozen;

namespace Serve.Dashboard.Assets;

/// <summary>The static files in the resources of this assembly. The catalog and each file are read when they are first requested, so a node that no browser visits does not pay for them.</summary>
internal static class DashboardAssetCatalog
{
    private const string Prefix = "wwwroot";
    private const string Suffix = ".gz";
    private static readonly ConcurrentDictionary<string, DashboardAsset> Read = new(StringComparer.Ordinal);

    /// <summary>The page of all paths that are not files.</summary>
    public const string IndexPath = "/index.html";

    /// <summary>The paths of all files.</summary>
    public static IEnumerable<string> Paths => Names.All;

    /// <summary>Returns a file; null if there is none of that path.</summary>
    /// <param name="path">Its path, with a slash at the start.</param>
    public static DashboardAsset? Find(string path) => !Names.All.Contains(path) ? null : Read.GetOrAdd(path, static path =>
        DashboardAsset.Read(path, typeof(DashboardAssetCatalog).Assembly.GetManifestResourceStream(Prefix + path + Suffix)!));

    private static class Names
    {
        public static readonly FrozenSet<string> All = typeof(DashboardAssetCatalog).Assembly.GetManifestResourceNames()
            .Where(static name => name.StartsWith(Prefix + "/", StringComparison.Ordinal) && name.EndsWith(Suffix, StringComparison.Ordinal))
            .Select(static name => name[Prefix.Length..^Suffix.Length])
            .ToFrozenSet(StringComparer.Ordinal);
    }
}
