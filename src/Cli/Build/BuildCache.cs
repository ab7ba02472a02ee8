using Serve.Controller;

namespace Serve.Cli.Build;

/// <summary>Where code is built for a node that has no lasting state directory, so that unchanged code is not built again.</summary>
internal static class BuildCache
{
    /// <summary>The build folders of the user's own state directory.</summary>
    public static string Default => Path.Combine(NodeStateDirectory.DefaultPath(), "builds");
}
