namespace Serve;

/// <summary>Names one replica of a deployment. Written <c>app#deployment#suffix</c>, as Ray Serve writes it.</summary>
/// <param name="Deployment">The deployment the replica is an instance of.</param>
/// <param name="Suffix">Eight characters, unique within the deployment, never used twice.</param>
public readonly record struct ReplicaId(DeploymentId Deployment, string Suffix)
{
    /// <summary>Reads <c>app#deployment#suffix</c>.</summary>
    /// <param name="text">The text to read.</param>
    /// <param name="id">The id, when the text has that form.</param>
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
