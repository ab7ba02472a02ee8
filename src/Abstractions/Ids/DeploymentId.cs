namespace Serve;

/// <summary>Names a deployment within a node or cluster: its application and its own name. Written <c>app/deployment</c>.</summary>
/// <param name="Application">The application's name.</param>
/// <param name="Name">The deployment's name, unique within the application.</param>
public readonly record struct DeploymentId(string Application, string Name)
{
    /// <summary>Reads <c>app/deployment</c>.</summary>
    /// <param name="text">The text to read.</param>
    /// <param name="id">The id, when the text has that form.</param>
    /// <returns>Whether <paramref name="text"/> names exactly one application and one deployment.</returns>
    public static bool TryParse(string? text, out DeploymentId id)
    {
        var parts = (text ?? "").Split('/');
        id = parts.Length == 2 ? new DeploymentId(parts[0], parts[1]) : default;
        return parts.Length == 2 && parts[0].Length > 0 && parts[1].Length > 0;
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Application}/{Name}";
}
