namespace Serve;

/// <summary>Id of a replica. Written <c>app#deployment#suffix</c>, as in Ray Serve.</summary>
/// <param name="Deployment">The deployment.</param>
/// <param name="Suffix">Eight characters, unique within the deployment and never reused.</param>
public readonly record struct ReplicaId(DeploymentId Deployment, string Suffix)
{
    /// <summary>Parses <c>app#deployment#suffix</c>.</summary>
    /// <param name="text">The text.</param>
    /// <param name="id">The id, if the text has that form.</param>
    /// <returns>Whether <paramref name="text"/> has that form.</returns>
    public static bool TryParse(string? text, out ReplicaId id)
    {
        var parts = (text ?? "").Split('#');
        var valid = parts.Length == 3 && parts.All(part => part.Length > 0);
        id = valid ? new ReplicaId(new DeploymentId(parts[0], parts[1]), parts[2]) : default;
        return valid;
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Deployment.Application}#{Deployment.Name}#{Suffix}";
}
