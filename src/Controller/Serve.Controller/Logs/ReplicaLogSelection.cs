using System.Diagnostics.CodeAnalysis;

namespace Serve.Controller;

/// <summary>Which replicas' log folders somebody wants to read.</summary>
internal sealed class ReplicaLogSelection(NodeStateDirectory directory, string application, string? deployment, string? replica)
{
    /// <summary>The suffix of the one replica wanted; null for all. Accepts a whole replica id as well.</summary>
    public string? Suffix { get; } = replica is null ? null : ReplicaId.TryParse(replica, out var id) ? id.Suffix : replica;

    /// <summary>Whether anything that fits has ever logged.</summary>
    public bool Exists() => Folders().Any();

    /// <summary>The folders that fit now, with what their lines are marked by.</summary>
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

    // Names become parts of paths: nothing that could lead elsewhere.
    private static bool IsName([NotNullWhen(true)] string? text) =>
        !string.IsNullOrEmpty(text) && text[0] != '.' && text.All(letter => char.IsLetterOrDigit(letter) || letter is '-' or '_' or '.');
}
