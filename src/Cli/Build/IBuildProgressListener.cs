namespace Serve.Cli.Build;

/// <summary>Is told when something is built, so that a person need not wonder.</summary>
internal interface IBuildProgressListener
{
    /// <summary>A build begins.</summary>
    /// <param name="source">The file or project.</param>
    void OnBuildStarted(string source);

    /// <summary>It succeeded.</summary>
    /// <param name="source">The file or project.</param>
    /// <param name="took">How long it took.</param>
    void OnBuildSucceeded(string source, TimeSpan took);

    /// <summary>It failed.</summary>
    /// <param name="source">The file or project.</param>
    void OnBuildFailed(string source);
}
