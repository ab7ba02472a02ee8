namespace Serve;

/// <summary>Id of a deployment: its application and its own name. Written <c>app/deployment</c>.</summary>
/// <param name="Application">The application's name.</param>
/// <param name="Name">The deployment's name, unique within the application.</param>
public readonly record struct DeploymentId(string Application, string Name)
{
    /// <summary>Parses <c>app/deployment</c>.</summary>
    /// <param name="text">The text.</param>
    /// <param name="id">The id, if the text has that form.</param>
    /// <returns>Whether <paramref name="text"/> has that form.</returns>
    public static bool TryParse(string? text, out DeploymentId id)
    {
        var parts = (text ?? "").Split('/');
        id = parts.Length == 2 ? new DeploymentId(parts[0], parts[1]) : default;
        return parts.Length == 2 && parts[0].Length > 0 && parts[1].Length > 0;
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Application}/{Name}";
}
