using System.Diagnostics.CodeAnalysis;
using Serve.Controller.Store;

namespace Serve.Controller.Logs;

/// <summary>The log folders of an application's replicas, optionally of one deployment or replica.</summary>
internal sealed class ReplicaLogSelection(NodeStateDirectory directory, string application, string? deployment, string? replica)
{
    /// <summary>Suffix of the selected replica; null for all. The constructor accepts a full replica id too.</summary>
    public string? Suffix { get; } = replica is null ? null : ReplicaId.TryParse(replica, out var id) ? id.Suffix : replica;

    /// <summary>Returns whether there is any matching folder.</summary>
    public bool Exists() => Folders().Any();

    /// <summary>Returns the matching folders, with the prefix of their lines.</summary>
    public IEnumerable<(string Folder, string Mark)> Folders()
    {
        if (!IsName(application) || (deployment is not null && !IsName(deployment)) || (Suffix is not null && !IsName(Suffix)))
            yield break;
        var root = new DirectoryInfo(Path.Combine(directory.Logs, application));
        if (!root.Exists)
            yield break;
        foreach (var ofDeployment in root.EnumerateDirectories(deployment ?? "*").OrderBy(folder => folder.Name, StringComparer.Ordinal))
        {
            foreach (var ofReplica in ofDeployment.EnumerateDirectories(Suffix ?? "*").OrderBy(folder => folder.CreationTimeUtc))
                yield return (ofReplica.FullName, $"{ofDeployment.Name}#{ofReplica.Name}");
        }
    }

    // Names become parts of paths, so they must not lead outside of the log folder.
    private static bool IsName([NotNullWhen(true)] string? text) =>
        !string.IsNullOrEmpty(text) && text[0] != '.' && text.All(letter => char.IsLetterOrDigit(letter) || letter is '-' or '_' or '.');
}
