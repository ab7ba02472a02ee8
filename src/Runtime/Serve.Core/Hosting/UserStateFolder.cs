namespace Serve.Hosting;

/// <summary>Folder for state of the current user.</summary>
public static class UserStateFolder
{
    /// <summary>File mode: accessible by the owner only.</summary>
    internal const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>Returns <c>$XDG_STATE_HOME/serve</c>, or <c>~/.local/state/serve</c>.</summary>
    /// <returns>The folder, which need not exist.</returns>
    public static string GetStateFolder()
    {
        var state = Environment.GetEnvironmentVariable("XDG_STATE_HOME");
        var home = string.IsNullOrEmpty(state) || !Path.IsPathRooted(state)
            ? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".local", "state")
            : state;
        return Path.Combine(home, "serve");
    }
}
