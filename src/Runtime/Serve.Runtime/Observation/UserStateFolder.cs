namespace Serve.Runtime.Observation;

/// <summary>Where this user's state lies. Holds no state.</summary>
public static class UserStateFolder
{
    /// <summary>Readable and writable by nobody else.</summary>
    public const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary><c>$XDG_STATE_HOME/serve</c>, or <c>~/.local/state/serve</c>.</summary>
    /// <returns>The folder, whether it is there or not.</returns>
    public static string GetStateFolder()
    {
        var state = Environment.GetEnvironmentVariable("XDG_STATE_HOME");
        var home = string.IsNullOrEmpty(state) || !Path.IsPathRooted(state)
            ? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".local", "state")
            : state;
        return Path.Combine(home, "serve");
    }
}
