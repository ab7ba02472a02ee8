using System.Collections.Frozen;
using Microsoft.AspNetCore.Http;

namespace Serve.Replica.Loading;

/// <summary>Names of the assemblies that user code shares with the host, because their types are exchanged: the public API of Serve and the shared framework.</summary>
internal static class SharedAssemblyNames
{
    private static readonly FrozenSet<string> Names = FrameworkNames()
        .Append(typeof(DeploymentAttribute).Assembly.GetName().Name!)
        .Append(typeof(Cluster).Assembly.GetName().Name!)
        .ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    public static bool Contains(string? simpleName) => simpleName is not null && Names.Contains(simpleName);

    private static IEnumerable<string> FrameworkNames() =>
        new[] { typeof(object), typeof(HttpContext) }
            .Select(type => Path.GetDirectoryName(type.Assembly.Location)!)
            .Distinct(StringComparer.Ordinal)
            .SelectMany(directory => Directory.EnumerateFiles(directory, "*.dll"))
            .Select(file => Path.GetFileNameWithoutExtension(file));
}
